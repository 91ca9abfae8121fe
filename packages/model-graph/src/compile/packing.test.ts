// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { packDepthwise16, packPanels16 } from '@mlcapsule/inference-kernels/program'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ConstantTensor,
  inlineConstant,
  permuteElements,
  scaledConstant,
  splatConstant,
  transposedConstant,
} from '../graph/constant.ts'
import {
  type Pieces,
  packChannelsLast,
  packConvolution,
  packDense,
  packDepthwise,
  packPlain,
} from './packing.ts'

async function whole(pieces: Pieces): Promise<Float32Array> {
  const parts: number[] = []
  for await (const piece of pieces) for (const value of piece) parts.push(value)
  return Float32Array.from(parts)
}

const counted = (dims: readonly number[]): { data: Float32Array; constant: ConstantTensor } => {
  const data = Float32Array.from({ length: elementCount(dims) }, (_, i) => i + 1)
  return { data, constant: inlineConstant('float32', dims, data) }
}

const size = fc.integer({ min: 1, max: 40 })
const small = fc.integer({ min: 1, max: 4 })

describe('packing piece by piece equals packing whole', () => {
  test('dense weights', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, async (innerCount, columnCount) => {
        const { data, constant } = counted([innerCount, columnCount])
        expect(await whole(packDense(constant))).toEqual(packPanels16(data, [innerCount, columnCount]))
      }),
      { numRuns: 40 },
    )
  })

  test('transposed dense weights', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, async (innerCount, columnCount) => {
        const { data, constant } = counted([columnCount, innerCount])
        const transposed = permuteElements(data, 'float32', [columnCount, innerCount], [1, 0]) as Float32Array
        const packed = await whole(packDense(transposedConstant(constant, [1, 0])))
        expect(packed).toEqual(packPanels16(transposed, [innerCount, columnCount]))
      }),
      { numRuns: 40 },
    )
  })

  test('filters in groups', async () => {
    await fc.assert(
      fc.asyncProperty(small, size, small, small, small, async (groups, perGroup, inner, height, width) => {
        const dims = [groups * perGroup, inner, height, width]
        const { data, constant } = counted(dims)
        expect(await whole(packConvolution(constant, groups))).toEqual(packPanels16(data, dims, groups))
      }),
      { numRuns: 40 },
    )
  })

  test('depthwise filters', async () => {
    await fc.assert(
      fc.asyncProperty(size, small, small, async (channels, height, width) => {
        const dims = [channels, 1, height, width]
        const { data, constant } = counted(dims)
        expect(await whole(packDepthwise(constant))).toEqual(packDepthwise16(data, dims))
      }),
      { numRuns: 40 },
    )
  })

  test('equal elements, of which none is read', async () => {
    const cases: [readonly number[], (it: ConstantTensor) => Pieces, (it: Float32Array) => Float32Array][] = [
      [[20_000, 21], packDense, (it) => packPanels16(it, [20_000, 21])],
      [[36, 3, 3, 2], (it) => packConvolution(it, 2), (it) => packPanels16(it, [36, 3, 3, 2], 2)],
      [[21, 1, 3, 3], packDepthwise, (it) => packDepthwise16(it, [21, 1, 3, 3])],
      [[300_000], packPlain, (it) => it],
      [[2, 3, 4, 5], packChannelsLast, (it) => it],
    ]
    for (const [dims, pack, expected] of cases) {
      const splat = splatConstant('float32', dims, 0.25)
      const data = new Float32Array(elementCount(dims)).fill(0.25)
      expect(await whole(pack(splat))).toEqual(expected(data))
    }
  })

  test('channels last', async () => {
    const { constant } = counted([1, 2, 2, 2])
    expect([...(await whole(packChannelsLast(constant)))]).toEqual([1, 5, 2, 6, 3, 7, 4, 8])
  })
})

describe('constants', () => {
  test('are scaled along an axis', async () => {
    const { constant } = counted([2, 3])
    const rows = scaledConstant(constant, 0, Float64Array.of(1, 10))
    expect([...(await rows.read(1, 4))]).toEqual([2, 3, 40, 50])
    const columns = scaledConstant(constant, 1, Float64Array.of(1, 0, 2))
    expect([...(await columns.read(0, 6))]).toEqual([1, 0, 6, 4, 0, 12])
  })

  test('stay transposed for free when scaled', async () => {
    const { constant } = counted([2, 3])
    const scaled = scaledConstant(transposedConstant(constant, [1, 0]), 1, Float64Array.of(1, 10))
    expect(scaled.transposeOf?.dims).toEqual([2, 3])
    expect([...(await scaled.read(0, 6))]).toEqual([1, 40, 2, 50, 3, 60])
    expect(transposedConstant(scaled, [1, 0])).toBe(scaled.transposeOf)
  })
})
