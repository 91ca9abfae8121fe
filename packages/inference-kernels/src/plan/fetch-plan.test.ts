// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { SeededRandom } from '../testing/random.ts'
import { FetchPlan } from './fetch-plan.ts'

const pageSizeBytes = 256

interface Stretch {
  readonly record: number
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/** Stretches in records that ascend: some follow one another, some jump forward, some are asked for again. */
function randomStretches(random: SeededRandom, longestBytes: number): Stretch[] {
  const stretches: Stretch[] = []
  let record = 0
  let at = 0
  for (let i = random.int(1, 60); i > 0; i--) {
    record += random.int(1, 3)
    const jump = random.next()
    if (jump < 0.1) at += 64 * random.int(0, 40)
    else if (jump < 0.2) at = 64 * random.int(0, at / 64)
    const sizeBytes = 64 * random.int(1, longestBytes / 64)
    stretches.push({ record, offsetBytes: at, sizeBytes })
    at += sizeBytes
  }
  return stretches
}

test('whatever the fetches run ahead by, each record finds its weights, and none waits for itself', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed)
    const pageCount = random.int(4, 12)
    const baseBytes = 64 * random.int(0, 20)
    const plan = new FetchPlan({ baseBytes, pageSizeBytes, pageCount })
    const stretches = randomStretches(random, (plan.stretchPageCount - 1) * pageSizeBytes)
    const placed = stretches.map((it) => ({
      ...it,
      address: plan.place(it.offsetBytes, it.sizeBytes, it.record),
    }))
    const recordCount = (stretches.at(-1)?.record ?? 0) + 1 + random.int(0, 3)
    const stream = plan.finish(recordCount)
    if (stream === null) throw new Error('nothing is fetched')
    const { pages, addressesBytes, freedBy, neededBy } = stream
    expect(neededBy.length).toBe(recordCount)
    // Byte b of the weights is held as its own number; the ring begins with nothing.
    const ring = new Float64Array(pageSizeBytes * pageCount).fill(-1)
    let fetched = 0
    for (let record = 0; record < recordCount; record++) {
      for (; fetched < pages.length; fetched++) {
        // As far ahead as is allowed, but at least as far as is needed.
        if ((freedBy[fetched] as number) > record) break
        const to = (addressesBytes[fetched] as number) - baseBytes
        expect(to % pageSizeBytes).toBe(0)
        for (let b = 0; b < pageSizeBytes; b++) ring[to + b] = (pages[fetched] as number) * pageSizeBytes + b
      }
      expect(fetched, `seed ${seed}, record ${record}`).toBeGreaterThanOrEqual(neededBy[record] as number)
      for (const { address, offsetBytes, sizeBytes } of placed.filter((it) => it.record === record)) {
        expect(address - baseBytes + sizeBytes).toBeLessThanOrEqual(pageSizeBytes * pageCount)
        for (let b = 0; b < sizeBytes; b++) {
          if (ring[address - baseBytes + b] !== offsetBytes + b) {
            expect.fail(`seed ${seed}, record ${record}: byte ${b} is not there`)
          }
        }
      }
    }
    expect(fetched).toBe(pages.length)
  }
})

test('weights that follow one another are fetched once, but for the page in which the ring begins anew', () => {
  const plan = new FetchPlan({ baseBytes: 0, pageSizeBytes, pageCount: 8 })
  for (let i = 0; i < 40; i++) plan.place(i * 192, 192, i)
  const pages = [...(plan.finish(40)?.pages ?? [])]
  expect(new Set(pages).size).toBe(30)
  expect(pages.length).toBeLessThanOrEqual(30 + Math.ceil(30 / 7))
  expect(new FetchPlan({ baseBytes: 0, pageSizeBytes, pageCount: 8 }).finish(3)).toBeNull()
})
