// SPDX-License-Identifier: Apache-2.0
// Conv and ConvTranspose: by hand, against the definition, and against one another.
import { describe, expect, test } from 'vitest'
import { SeededRandom } from '../../testing/random.ts'
import { counting, float32, results, tensor } from '../movement/testing.ts'
import { faultKind, runOperator } from '../testing.ts'

const ones = (...dims: readonly number[]) =>
  float32(
    dims,
    dims.reduce<number[]>((all, dim) => Array.from({ length: dim }, () => all).flat(), [1]),
  )
const square = counting(1, 1, 3, 3)

/** The definition, one product after another, over two spatial dimensions. */
function definition(
  x: Float32Array,
  [batch, channels, height, width]: readonly [number, number, number, number],
  weights: Float32Array,
  [filters, groupChannels, kernelHeight, kernelWidth]: readonly [number, number, number, number],
  { strides, pads, dilations, group }: Geometry,
): readonly [readonly number[], readonly number[]] {
  const count = (d: 0 | 1, size: number, kernel: number) =>
    Math.floor((size + pads[d] + pads[(d + 2) as 2 | 3] - dilations[d] * (kernel - 1) - 1) / strides[d]) + 1
  const [rows, columns] = [count(0, height, kernelHeight), count(1, width, kernelWidth)]
  const out: number[] = []
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < filters; o++) {
      const first = Math.floor((o * group) / filters) * groupChannels
      for (let at = 0; at < rows * columns; at++) {
        let sum = 0
        for (let k = 0; k < groupChannels * kernelHeight * kernelWidth; k++) {
          const kw = k % kernelWidth
          const kh = Math.floor(k / kernelWidth) % kernelHeight
          const c = first + Math.floor(k / (kernelWidth * kernelHeight))
          const y = Math.floor(at / columns) * strides[0] - pads[0] + kh * dilations[0]
          const left = (at % columns) * strides[1] - pads[1] + kw * dilations[1]
          if (y < 0 || y >= height || left < 0 || left >= width) continue
          const weight = weights[o * groupChannels * kernelHeight * kernelWidth + k] as number
          sum += weight * (x[((n * channels + c) * height + y) * width + left] as number)
        }
        out.push(sum)
      }
    }
  }
  return [[batch, filters, rows, columns], out]
}

type Two = readonly [number, number]
interface Geometry {
  readonly strides: Two
  readonly pads: readonly [number, number, number, number]
  readonly dilations: Two
  readonly group: number
}

/** A convolution of small integers, whose sums are exact. */
function randomConvolution(seed: number) {
  const random = new SeededRandom(seed)
  const pick = (least: number, most: number) => random.int(least, most)
  const group = pick(1, 3)
  const [groupChannels, groupFilters] = [pick(1, 3), pick(1, 3)]
  const kernel = [pick(1, 3), pick(1, 3)] as const
  const geometry: Geometry = {
    strides: [pick(1, 3), pick(1, 3)],
    pads: [pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)],
    dilations: [pick(1, 2), pick(1, 2)],
    group,
  }
  const xDims = [pick(1, 2), group * groupChannels, pick(5, 9), pick(5, 9)] as const
  const weightDims = [group * groupFilters, groupChannels, ...kernel] as const
  const fill = (dims: readonly number[]) =>
    float32(
      dims,
      Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => pick(-4, 4)),
    )
  return { x: fill(xDims), xDims, weights: fill(weightDims), weightDims, geometry, fill }
}

describe('Conv', () => {
  test('pads as it is told, or by itself', () => {
    const kernel = ones(1, 1, 2, 2)
    const run = (attributes: Record<string, string | readonly number[]>) =>
      results('Conv', [square, kernel], attributes)
    expect(run({})).toEqual([
      [
        [1, 1, 2, 2],
        [8, 12, 20, 24],
      ],
    ])
    expect(run({ auto_pad: 'VALID', pads: [1, 1, 1, 1] })).toEqual([
      [
        [1, 1, 2, 2],
        [8, 12, 20, 24],
      ],
    ])
    expect(run({ auto_pad: 'SAME_UPPER' })).toEqual([
      [
        [1, 1, 3, 3],
        [8, 12, 7, 20, 24, 13, 13, 15, 8],
      ],
    ])
    expect(run({ auto_pad: 'SAME_LOWER' })).toEqual([
      [
        [1, 1, 3, 3],
        [0, 1, 3, 3, 8, 12, 9, 20, 24],
      ],
    ])
    expect(run({ pads: [0, 1, 0, 0], strides: [2, 2] })).toEqual([
      [
        [1, 1, 1, 2],
        [3, 12],
      ],
    ])
  })

  test('goes over one and three dimensions', () => {
    expect(results('Conv', [counting(1, 1, 5), float32([1, 1, 2], [1, 10])], { dilations: [2] })).toEqual([
      [
        [1, 1, 3],
        [20, 31, 42],
      ],
    ])
    expect(results('Conv', [counting(1, 1, 2, 2, 2), ones(1, 1, 2, 2, 1)])).toEqual([
      [
        [1, 1, 1, 1, 2],
        [12, 16],
      ],
    ])
    expect(
      results('Conv', [counting(1, 1, 2, 2, 2), ones(1, 1, 2, 1, 1)], { pads: [1, 0, 0, 0, 0, 0] }),
    ).toEqual([
      [
        [1, 1, 2, 2, 2],
        [0, 1, 2, 3, 4, 6, 8, 10],
      ],
    ])
  })

  test('adds the bias, group by group', () => {
    const bias = float32([2], [100, 200])
    expect(results('Conv', [counting(2, 2, 2), float32([2, 1, 1], [1, -1]), bias], { group: 2 })).toEqual([
      [
        [2, 2, 2],
        [100, 101, 198, 197, 104, 105, 194, 193],
      ],
    ])
  })

  test('is what the definition says', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { x, xDims, weights, weightDims, geometry } = randomConvolution(seed)
      const expected = definition(
        x.data as Float32Array,
        xDims,
        weights.data as Float32Array,
        weightDims,
        geometry,
      )
      expect(results('Conv', [x, weights], { ...geometry }), `seed ${seed}`).toEqual([expected])
    }
  })

  test('is the same in many blocks of windows', () => {
    const geometry: Geometry = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1 }
    const { fill } = randomConvolution(1)
    const [x, weights] = [fill([1, 64, 21, 19]), fill([3, 64, 3, 3])]
    const expected = definition(
      x.data as Float32Array,
      [1, 64, 21, 19],
      weights.data as Float32Array,
      [3, 64, 3, 3],
      geometry,
    )
    expect(results('Conv', [x, weights], { ...geometry })).toEqual([expected])
  })

  test('takes images that are empty', () => {
    expect(results('Conv', [counting(0, 1, 3, 3), ones(2, 1, 2, 2)])).toEqual([[[0, 2, 2, 2], []]])
    expect(results('Conv', [counting(1, 0, 2), counting(1, 0, 1), float32([1], [7])])).toEqual([
      [
        [1, 1, 2],
        [7, 7],
      ],
    ])
    expect(results('Conv', [counting(1, 1, 0), ones(1, 1, 1)], { pads: [1, 0] })).toEqual([[[1, 1, 1], [0]]])
  })

  test('refuses what does not fit together', () => {
    const kernel = ones(1, 1, 2, 2)
    const kinds = [
      faultKind('Conv', [square, ones(1, 2, 2, 2)]),
      faultKind('Conv', [square, kernel], { group: 0 }),
      faultKind('Conv', [square, kernel, ones(2)]),
      faultKind('Conv', [square, kernel], { strides: [0, 1] }),
      faultKind('Conv', [square, kernel], { strides: [1] }),
      faultKind('Conv', [square, kernel], { pads: [1, 1] }),
      faultKind('Conv', [square, kernel], { kernel_shape: [3, 3] }),
      faultKind('Conv', [square, ones(1, 1, 4, 4)]),
      faultKind('Conv', [square, ones(1, 1, 2)]),
      faultKind('Conv', [counting(1, 1), ones(1, 1)]),
    ]
    expect(new Set(kinds)).toEqual(new Set(['mismatch']))
    expect(faultKind('Conv', [square, kernel], { pads: [-1, 0, 0, 0] })).toBe('unsupported')
    expect(faultKind('Conv', [counting(1, 1, 1, 1, 1, 1), ones(1, 1, 1, 1, 1, 1)])).toBe('unsupported')
    expect(faultKind('Conv', [tensor('int32', [1, 1, 1], [1]), ones(1, 1, 1)])).toBe('unsupported')
  })
})

describe('ConvTranspose', () => {
  const x = float32([1, 1, 2, 2], [1, 2, 3, 4])
  const kernel = float32([1, 1, 2, 2], [1, 10, 100, 1000])

  test('spreads each element', () => {
    expect(results('ConvTranspose', [x, kernel])).toEqual([
      [
        [1, 1, 3, 3],
        [1, 12, 20, 103, 1234, 2040, 300, 3400, 4000],
      ],
    ])
    expect(results('ConvTranspose', [x, kernel, ones(1)], { strides: [2, 1], pads: [1, 0, 0, 1] })).toEqual([
      [
        [1, 1, 3, 2],
        [101, 1201, 4, 35, 301, 3401],
      ],
    ])
  })

  test('takes a size, or more elements at the end', () => {
    const line = float32([1, 1, 2], [1, 2])
    const pair = float32([1, 1, 2], [1, 10])
    const run = (attributes: Record<string, string | readonly number[]>) =>
      results('ConvTranspose', [line, pair], { strides: [2], ...attributes })
    expect(run({})).toEqual([
      [
        [1, 1, 4],
        [1, 10, 2, 20],
      ],
    ])
    expect(run({ output_padding: [1] })).toEqual([
      [
        [1, 1, 5],
        [1, 10, 2, 20, 0],
      ],
    ])
    expect(run({ output_shape: [3] })).toEqual([
      [
        [1, 1, 3],
        [10, 2, 20],
      ],
    ])
    expect(run({ output_shape: [1, 1, 3], auto_pad: 'SAME_UPPER' })).toEqual([
      [
        [1, 1, 3],
        [1, 10, 2],
      ],
    ])
    expect(run({ output_shape: [6] })).toEqual([
      [
        [1, 1, 6],
        [1, 10, 2, 20, 0, 0],
      ],
    ])
    expect(run({ auto_pad: 'SAME_UPPER', strides: [1] })).toEqual([
      [
        [1, 1, 2],
        [1, 12],
      ],
    ])
    expect(run({ auto_pad: 'SAME_LOWER', strides: [1] })).toEqual([
      [
        [1, 1, 2],
        [12, 20],
      ],
    ])
    expect(run({ dilations: [2], strides: [1] })).toEqual([
      [
        [1, 1, 4],
        [1, 2, 10, 20],
      ],
    ])
  })

  test('goes over three dimensions', () => {
    expect(results('ConvTranspose', [float32([1, 1, 1, 1, 1], [3]), counting(1, 1, 2, 1, 2)])).toEqual([
      [
        [1, 1, 2, 1, 2],
        [0, 3, 6, 9],
      ],
    ])
  })

  test('is the adjoint of Conv', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { x: image, xDims, weights, geometry, fill } = randomConvolution(seed)
      const [seen] = runOperator('Conv', [image, weights], { ...geometry })
      const cotangent = fill(seen?.shape ?? [])
      const [spread] = runOperator('ConvTranspose', [cotangent, weights], {
        ...geometry,
        // Elements that no window reaches.
        output_padding: ([0, 1] as const).map((d) => {
          const extent = geometry.dilations[d] * ((weights.shape[d + 2] as number) - 1) + 1
          const padded =
            (xDims[d + 2] as number) + geometry.pads[d] + geometry.pads[(d + 2) as 2 | 3] - extent
          return padded % geometry.strides[d]
        }),
      })
      expect(spread?.shape, `seed ${seed}`).toEqual(xDims)
      const inner = (a: Float32Array, b: Float32Array) => a.reduce((sum, it, i) => sum + it * (b[i] ?? 0), 0)
      const forward = inner(seen?.data as Float32Array, cotangent.data as Float32Array)
      expect(inner(spread?.data as Float32Array, image.data as Float32Array), `seed ${seed}`).toBe(forward)
    }
  })

  test('refuses what does not fit together', () => {
    const kinds = [
      faultKind('ConvTranspose', [x, ones(2, 1, 2, 2)]),
      faultKind('ConvTranspose', [x, kernel], { group: 2 }),
      faultKind('ConvTranspose', [x, kernel, ones(2)]),
      faultKind('ConvTranspose', [x, kernel], { output_shape: [3] }),
      faultKind('ConvTranspose', [x, kernel], { output_padding: [-1, 0] }),
      faultKind('ConvTranspose', [x, kernel], { pads: [4, 0, 4, 0] }),
    ]
    expect(new Set(kinds)).toEqual(new Set(['mismatch']))
  })
})
