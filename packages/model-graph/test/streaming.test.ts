// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { compileGraph, importOnnx } from '../src/index.ts'
import { virtualModelSource } from '../src/testing/index.ts'

const isSlow = process.env.SLOW === '1'
const mebibyte = 1024 * 1024

/** Under SLOW=1 the first dense layer of VGG, 411 MB; otherwise layers that still need several slabs. */
const cases = [
  { transposed: true, innerCount: 25_088, columnCount: isSlow ? 4096 : 512 },
  { transposed: false, innerCount: isSlow ? 25_088 : 3136, columnCount: 4096 },
]

describe('weights larger than memory', () => {
  test.each(cases)(
    'are packed by slabs: $innerCount × $columnCount, transposed: $transposed',
    { timeout: 180_000 },
    async (layer) => {
      const { transposed, innerCount, columnCount } = layer
      const weightOf = (k: number, n: number) => (k * 31 + n * 7) % 1009
      const source = virtualModelSource({
        ...layer,
        weightAt: (index) =>
          transposed
            ? weightOf(index % innerCount, Math.floor(index / innerCount))
            : weightOf(Math.floor(index / columnCount), index % columnCount),
      })
      const { weights, summary } = await compileGraph(await importOnnx(source))
      expect(summary.parameterCount).toBe(innerCount * columnCount)
      expect(weights.sizeBytes).toBe(innerCount * columnCount * 4)
      let offset = 0
      let checkedCount = 0
      for await (const chunk of weights.chunks()) {
        const values = new Float32Array(chunk.buffer)
        for (let i = 0; i < values.length; i += 4999) {
          const index = offset / 4 + i
          const panel = Math.floor(index / (innerCount * 16))
          const k = Math.floor(index / 16) % innerCount
          if (values[i] !== weightOf(k, panel * 16 + (index % 16)))
            throw new Error(`element ${index} is ${values[i]}`)
          checkedCount++
        }
        offset += chunk.length
      }
      expect(offset).toBe(weights.sizeBytes)
      expect(checkedCount).toBeGreaterThan(1000)
      expect(source.largestReadSizeBytes).toBeLessThanOrEqual(2 * mebibyte)
    },
  )
})
