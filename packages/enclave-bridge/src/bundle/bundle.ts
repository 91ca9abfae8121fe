// SPDX-License-Identifier: Apache-2.0
import { type EnclaveManifest, parseManifest } from '@mlcapsule/attestation'
import type { EnclaveEntry } from '@mlcapsule/contracts'
import { sha384, toHex } from '@mlcapsule/crypto'
import * as z from 'zod/mini'
import { BridgeError } from '../errors.ts'
import { bridgeLimits } from '../protocol/limits.ts'

/** Name of the list in a built enclave's folder. */
export const bundleFileName = 'manifest.json'

const bundleEntries = ['worker', 'web-worker', 'process', 'gramine', 'vm'] as const
const digest = z.string().check(z.regex(/^[0-9a-f]{96}$/))
const fileName = z.string().check(z.regex(/^[a-z][a-z0-9-]*\.mjs$/), z.maxLength(64))
const pluginSchema = z.strictObject({ kind: z.string(), name: z.string(), version: z.int() })
const bundleSchema = z.strictObject({
  version: z.literal(1),
  /** SHA-384 of every file that runs inside, in hex. */
  files: z.record(fileName, digest),
  /** For each way to start: the file that is started, and the files that it loads. */
  entries: z.record(z.enum(bundleEntries), z.array(fileName).check(z.minLength(1))),
  plugins: z.array(pluginSchema).check(z.maxLength(bridgeLimits.pluginMaxCount)),
})

/** What `manifest.json` beside a built enclave says. */
export type Bundle = Readonly<z.infer<typeof bundleSchema>>
export type BundleEntry = (typeof bundleEntries)[number]

/** @throws BridgeError `BRIDGE_BUNDLE_INVALID` */
export function parseBundle(text: string): Bundle {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BridgeError('BRIDGE_BUNDLE_INVALID', `${bundleFileName} is not JSON`, { cause })
  }
  const result = z.safeParse(bundleSchema, value)
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.map(String).join('.') ?? ''
  throw new BridgeError('BRIDGE_BUNDLE_INVALID', `${bundleFileName}: ${field} is not as a build writes it`, {
    field,
  })
}

/** Names of the files that an entry consists of; the first is the one to start. */
export function filesOf(bundle: Bundle, entry: BundleEntry): readonly [string, ...string[]] {
  const [first, ...rest] = bundle.entries[entry] ?? []
  if (first === undefined) throw new BridgeError('BRIDGE_BUNDLE_INVALID', `the build has no entry ${entry}`)
  return [first, ...rest]
}

/**
 * What is done when a file is not the one that the build listed. `manifest` refuses to start. `measure` starts it all the
 * same and shows its true digest, so that it is the provider who refuses: for tests and demonstrations.
 */
export type BundleCheck = 'manifest' | 'measure'

/**
 * Digest of a file as it is, held against the build's list.
 * @returns lower-case hex
 * @throws BridgeError `BRIDGE_BUNDLE_MISMATCH` with check `manifest`
 */
export function measureFile(bundle: Bundle, name: string, bytes: Uint8Array, check: BundleCheck): string {
  const found = toHex(sha384(bytes))
  if (check === 'manifest' && found !== bundle.files[name]) {
    throw new BridgeError('BRIDGE_BUNDLE_MISMATCH', `${name} was changed after the build`, { field: name })
  }
  return found
}

/**
 * The manifest of an enclave that is about to start.
 * @param components SHA-384 in hex by name: the bundle's files and what else is loaded inside
 */
export function manifestOf(
  bundle: Bundle,
  entry: EnclaveEntry,
  components: ReadonlyMap<string, string>,
): EnclaveManifest {
  const listed = [...components].map(([name, sha384Hex]) => ({ name, sha384: sha384Hex }))
  listed.sort((a, b) => (a.name < b.name ? -1 : 1))
  return parseManifest({ version: 1, entry, components: listed, plugins: bundle.plugins })
}
