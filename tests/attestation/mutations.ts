// SPDX-License-Identifier: Apache-2.0
import type { CaseRunner, VectorCase } from './case.ts'

/** Each byte in long runs, every 37th otherwise. */
const strideBytes = process.env.SLOW === '1' ? 1 : 37

/** Copies in which one byte is another, of those from one offset to another. */
export function* flipped(bytes: Uint8Array, from = 0, to: number = bytes.length): Iterable<Uint8Array> {
  for (let at = from; at < to; at += strideBytes) {
    const copy = bytes.slice()
    copy[at] = (copy[at] ?? 0) ^ (1 << (at % 8))
    yield copy
  }
}

/** Copies in which a field of so many bytes says nothing, all, and what lies about the largest number with a sign. */
export function* extremes(bytes: Uint8Array, at: number, sizeBytes: number): Iterable<Uint8Array> {
  for (const fill of [0x00, 0xff, 0x7f, 0x80, 0x01]) yield bytes.slice().fill(fill, at, at + sizeBytes)
}

export interface MutationTally {
  readonly acceptedCount: number
  readonly refusedCount: number
}

/** Runs a case with each of these in place of one of its files. Stops at what is refused without a code of ours. */
export async function tallyMutations(
  vector: VectorCase,
  file: string,
  mutations: Iterable<Uint8Array>,
  run: CaseRunner,
): Promise<MutationTally> {
  let [acceptedCount, refusedCount] = [0, 0]
  for (const bytes of mutations) {
    const read = (name: string) => (name === file ? new Uint8Array(bytes) : vector.read(name))
    const { evidence } = await run({ ...vector, read })
    if (evidence === 'accept') acceptedCount++
    else refusedCount++
  }
  return { acceptedCount, refusedCount }
}
