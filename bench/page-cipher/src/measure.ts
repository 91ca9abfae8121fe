// SPDX-License-Identifier: Apache-2.0
import type { Contender } from './contender.ts'

export interface Row {
  readonly pageSizeBytes: number
  readonly act: 'seal' | 'open'
  readonly name: string
  /** Median over the rounds. */
  readonly mebibytesPerSecond: number
  /** Slowest and fastest round. */
  readonly range: readonly [number, number]
}

const mebibyte = 1_048_576
const pageSizesBytes = [mebibyte, 65_536]
const batchBytes = 48 * mebibyte
const roundCount = 7

/** Runs all contenders in turns. @throws Error if two of a family disagree, or one does not open what it sealed */
export async function measure(contenders: readonly Contender[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const pageSizeBytes of pageSizesBytes) {
    const page = Uint8Array.from({ length: pageSizeBytes }, (_, i) => (i * 31) & 255)
    const sealed = await checkedSealed(contenders, page)
    for (const act of ['seal', 'open'] as const) {
      const speeds = contenders.map((): number[] => [])
      // The first round warms up and does not count.
      for (let round = 0; round <= roundCount; round++) {
        for (const [i, contender] of contenders.entries()) {
          const input = act === 'seal' ? page : (sealed[i] as Uint8Array)
          const seconds = await timeBatch(contender, act, input, batchBytes / pageSizeBytes)
          if (round > 0) speeds[i]?.push(batchBytes / mebibyte / seconds)
        }
      }
      for (const [i, { name }] of contenders.entries()) {
        const sorted = (speeds[i] as number[]).sort((a, b) => a - b)
        const median = sorted[roundCount >> 1] as number
        const range: [number, number] = [sorted[0] as number, sorted.at(-1) as number]
        rows.push({ pageSizeBytes, act, name, mebibytesPerSecond: median, range })
      }
    }
  }
  return rows
}

async function timeBatch(
  contender: Contender,
  act: 'seal' | 'open',
  input: Uint8Array,
  pageCount: number,
): Promise<number> {
  const startMs = performance.now()
  let left = pageCount
  const lane = async (): Promise<void> => {
    while (left-- > 0) await contender[act](input)
  }
  await Promise.all(Array.from({ length: contender.inFlight }, lane))
  return (performance.now() - startMs) / 1_000
}

async function checkedSealed(contenders: readonly Contender[], page: Uint8Array): Promise<Uint8Array[]> {
  const known = new Map<string, Uint8Array>()
  const all: Uint8Array[] = []
  for (const contender of contenders) {
    const sealed = await contender.seal(page)
    const expected = known.get(contender.family) ?? sealed
    known.set(contender.family, expected)
    if (!same(sealed, expected)) throw new Error(`${contender.name} seals to other bytes`)
    if (!same(await contender.open(sealed), page))
      throw new Error(`${contender.name} does not open what it sealed`)
    all.push(sealed)
  }
  return all
}

function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i])
}
