// SPDX-License-Identifier: Apache-2.0
import { readCase, verifications } from '@mlcapsule/tests/attestation'
import { type Subject, vectorsDir } from './subjects.ts'

/** What changed evidence costs before it is refused, over all mutations of one piece of real evidence. */
export interface MutationCost {
  readonly name: string
  readonly mutationCount: number
  /** Of mutations that change nothing that counts: white space and unused bits of PEM. */
  readonly acceptedCount: number
  readonly slowestMs: number
  /** Most that one of them allocated, garbage too. */
  readonly largestSizeBytes: number
}

/** Files of a case that hold its evidence and what comes with it, where they are there. */
const files = ['quote.bin', 'report.bin', 'vcek.der', 'doc.cose', 'attest.bin', 'signature.bin']

/** Copies with one bit changed at each place, and with what numbers of one, two and four bytes can be at most and least. */
function* mutationsOf(bytes: Uint8Array, strideBytes: number): Iterable<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < bytes.length; at += strideBytes) {
    const changed = new Uint8Array(bytes)
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
    yield changed
    for (const sizeBytes of [1, 2, 4]) {
      for (const fill of [0x00, 0xff]) {
        const filled = new Uint8Array(bytes).fill(fill, at, at + sizeBytes)
        if (filled.some((it, i) => it !== bytes[i])) yield filled
      }
    }
  }
}

const allocated = () => {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** How often one that took long is tried: a collection of garbage is not what it costs. */
const triesOfSlow = 5
const slowMs = 20

/**
 * Verifies every mutation once.
 * @param strideBytes 1 for every byte
 * @throws what is no coded refusal
 */
export async function mutationCost(
  name: string,
  { dir }: Subject,
  strideBytes: number,
): Promise<MutationCost> {
  const vector = readCase(vectorsDir, dir)
  const prepare = verifications[vector.kind]
  if (prepare === undefined) throw new Error(`nothing verifies ${dir}`)
  let [mutationCount, acceptedCount, slowestMs, largestSizeBytes] = [0, 0, 0, 0]
  for (const file of files.filter((it) => vector.has(it))) {
    for (const bytes of mutationsOf(vector.read(file), strideBytes)) {
      const read = (it: string) => (it === file ? bytes : vector.read(it))
      const attempt = async () => {
        const [fromSizeBytes, fromMs] = [allocated(), performance.now()]
        const isAccepted = await isVerified(() => prepare({ ...vector, read })())
        return { isAccepted, tookMs: performance.now() - fromMs, sizeBytes: allocated() - fromSizeBytes }
      }
      let { isAccepted, tookMs, sizeBytes } = await attempt()
      for (let tries = 1; tookMs > slowMs && tries < triesOfSlow; tries++) {
        tookMs = Math.min(tookMs, (await attempt()).tookMs)
      }
      mutationCount++
      if (isAccepted) acceptedCount++
      slowestMs = Math.max(slowestMs, tookMs)
      largestSizeBytes = Math.max(largestSizeBytes, sizeBytes)
    }
  }
  return { name, mutationCount, acceptedCount, slowestMs, largestSizeBytes }
}

async function isVerified(verify: () => Promise<unknown>): Promise<boolean> {
  try {
    await verify()
    return true
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'string') return false
    throw error
  }
}
