// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A folder of attestation vectors: evidence, what belongs to it, and `expected.json`. */
export interface VectorCase {
  readonly name: string
  /** `sgx`, `tdx`, `snp`, `nitro` or `tpm`: the folder that it lies in. */
  readonly kind: string
  readonly expected: ExpectedJson
  read(file: string): Uint8Array<ArrayBuffer>
  text(file: string): string
  has(file: string): boolean
}

export type Verdict = 'accept' | 'reject'

/** What the vectors call `either` may be answered in both ways, but not with a crash. */
export interface ExpectedJson {
  readonly origin: string
  readonly now: string
  readonly evidenceFile: string
  readonly trustAnchor: string
  readonly verdict: { readonly evidence: Verdict | 'either'; readonly strictPolicy: Verdict | 'either' }
  readonly tcbStatus?: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly [more: string]: unknown
}

/** What our verifier and the strict policy make of a case. */
export interface CaseOutcome {
  readonly evidence: Verdict
  /** Code of the refusal by the verifier; null where it accepts. */
  readonly code: string | null
  readonly strictPolicy: Verdict
  /** Codes of what the strict policy refuses. */
  readonly policyCodes: readonly string[]
  /** As the vectors name them; null where the evidence cannot be read. Those that the vectors do not name are not compared. */
  readonly fields: Readonly<Record<string, unknown>> | null
  readonly tcbStatus?: string | undefined
}

export interface CaseOptions {
  /** In place of the case's own clock. */
  readonly nowMs?: number
  /** Only the vendor's roots, even where the case brings a root of its own. */
  readonly vendorRootsOnly?: boolean
}

/** Runs the cases of one kind. Never throws for what a case holds, but for what is no coded refusal. */
export type CaseRunner = (vector: VectorCase, options?: CaseOptions) => Promise<CaseOutcome>

export function readCase(root: string, dir: string): VectorCase {
  const path = join(root, dir)
  const files: Record<string, Uint8Array<ArrayBuffer> | null> = {}
  const read = (file: string) => {
    files[file] ??= new Uint8Array(readFileSync(join(path, file)))
    return files[file]
  }
  const text = (file: string) => new TextDecoder().decode(read(file))
  const has = (file: string) => {
    try {
      return read(file).length >= 0
    } catch {
      return false
    }
  }
  const [kind = ''] = dir.split('/')
  return { name: dir, kind, expected: JSON.parse(text('expected.json')) as ExpectedJson, read, text, has }
}

/** All cases of a folder, as its `index.json` lists them. */
export function readCases(root: string): readonly VectorCase[] {
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')) as readonly {
    readonly dir: string
  }[]
  return index.map(({ dir }) => readCase(root, dir))
}
