// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Block, BlockHeap } from './block-heap.ts'

const exactly = (sizeBytes: number) => sizeBytes
const noGrowth = (): number => {
  throw new RangeError('no more memory')
}

describe('a heap of blocks', () => {
  test('takes the smallest free block that is large enough', () => {
    const heap = new BlockHeap(1024, noGrowth)
    const [a, , b, , c] = [256, 64, 128, 64, 256].map((size) => heap.allocate(size)) as [
      Block,
      Block,
      Block,
      Block,
      Block,
    ]
    heap.free(a)
    heap.free(b)
    heap.free(c)
    expect(heap.allocate(100).addressBytes).toBe(b.addressBytes)
    expect(heap.allocate(200).addressBytes).toBe(a.addressBytes)
    expect(heap.usedSizeBytes).toBe(64 + 128 + 64 + 256)
  })

  test('joins neighbors that are free', () => {
    const heap = new BlockHeap(256, noGrowth)
    const blocks = [64, 64, 64, 64].map((size) => heap.allocate(size))
    for (const at of [1, 3, 2, 0]) heap.free(blocks[at] as Block)
    expect(heap.allocate(256)).toEqual({ addressBytes: 0, sizeBytes: 256 })
  })

  test('grows by what the last free block lacks', () => {
    const sizes: number[] = []
    const heap = new BlockHeap(128, (sizeBytes) => {
      sizes.push(sizeBytes)
      return sizeBytes
    })
    heap.allocate(64)
    expect(heap.allocate(192)).toEqual({ addressBytes: 64, sizeBytes: 192 })
    expect(sizes).toEqual([256])
  })

  test('stays as it was where growing fails', () => {
    const heap = new BlockHeap(128, noGrowth)
    expect(() => heap.allocate(129)).toThrow(RangeError)
    expect(heap.usedSizeBytes).toBe(0)
    expect(heap.allocate(128).addressBytes).toBe(0)
  })

  test.each([-1, -64, -1000, 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'stays as it was where asked for %d',
    (size) => {
      const heap = new BlockHeap(256, exactly)
      const block = heap.allocate(64)
      expect(() => heap.allocate(size)).toThrow(RangeError)
      expect(heap.usedSizeBytes).toBe(64)
      expect(heap.allocate(192).addressBytes).toBe(64)
      heap.free(block)
    },
  )

  test('gives no place to nothing', () => {
    const heap = new BlockHeap(0, noGrowth)
    const block = heap.allocate(0)
    heap.free(block)
    expect([block.sizeBytes, heap.usedSizeBytes]).toEqual([0, 0])
  })

  test('never gives out a byte twice, and gets all of them back', () => {
    const steps = fc.array(fc.record({ sizeBytes: fc.integer({ min: 0, max: 900 }), drop: fc.nat(20) }), {
      maxLength: 80,
    })
    fc.assert(
      fc.property(steps, (list) => {
        const heap = new BlockHeap(512, exactly)
        const live: Block[] = []
        for (const { sizeBytes, drop } of list) {
          const block = heap.allocate(sizeBytes)
          expect(block.addressBytes % 64).toBe(0)
          expect(block.sizeBytes).toBeGreaterThanOrEqual(sizeBytes)
          for (const other of live) {
            const isApart =
              other.addressBytes + other.sizeBytes <= block.addressBytes ||
              block.addressBytes + block.sizeBytes <= other.addressBytes
            expect(isApart || other.sizeBytes === 0 || block.sizeBytes === 0).toBe(true)
          }
          live.push(block)
          const [gone] = drop < live.length ? live.splice(drop, 1) : []
          if (gone !== undefined) heap.free(gone)
        }
        expect(heap.usedSizeBytes).toBe(live.reduce((sum, block) => sum + block.sizeBytes, 0))
        for (const block of live) heap.free(block)
        expect(heap.usedSizeBytes).toBe(0)
        expect(heap.allocate(512).addressBytes).toBe(0)
      }),
      { numRuns: process.env.SLOW === '1' ? 5000 : 200 },
    )
  })
})
