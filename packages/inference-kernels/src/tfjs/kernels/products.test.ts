// SPDX-License-Identifier: Apache-2.0
// Convolutions and products of more channels than a panel has columns: tfjs-core's own tests have few.
import * as tf from '@tensorflow/tfjs-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SeededRandom } from '../../testing/random.ts'
import { wasmKernels } from '../../wasm/index.ts'
import { registerMlcapsuleBackend } from '../index.ts'

const numRuns = process.env.SLOW === '1' ? 1000 : 40

beforeAll(async () => {
  await registerMlcapsuleBackend({ kernels: wasmKernels })
  await tf.setBackend('mlcapsule')
})
afterAll(() => tf.removeBackend('mlcapsule'))

type Shape4 = [number, number, number, number]

const random = (seed: number, shape: readonly number[]) =>
  tf.tensor(new SeededRandom(seed).floats(tf.util.sizeFromShape([...shape])), [...shape])
const random4 = (seed: number, shape: Shape4) => random(seed, shape) as tf.Tensor4D

function expectClose(actual: tf.Tensor, expected: ArrayLike<number>): void {
  const values = actual.dataSync()
  expect(values.length).toBe(expected.length)
  const worst = Array.from(
    values,
    (value, i) => Math.abs(value - (expected[i] as number)) / (1 + Math.abs(value)),
  )
  expect(Math.max(0, ...worst)).toBeLessThan(1e-4)
}

const dot = (a: tf.Tensor, b: tf.Tensor): number => {
  const [x, y] = [a.dataSync<'float32'>(), b.dataSync<'float32'>()]
  return x.reduce((sum, value, i) => sum + value * (y[i] as number), 0)
}

const geometry = fc.record({
  seed: fc.integer(),
  batch: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 3, max: 7 }),
  width: fc.integer({ min: 3, max: 7 }),
  inputs: fc.constantFrom(1, 3, 17),
  outputs: fc.constantFrom(1, 5, 16, 33),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  stride: fc.integer({ min: 1, max: 3 }),
  pad: fc.constantFrom('same' as const, 'valid' as const),
})
type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never

/** The definition: each output is the sum over the taps and the input channels that `weightOf` has a weight for. */
function defined(
  g: Geometry,
  x: tf.Tensor4D,
  outputs: number,
  weightOf: (tap: number, input: number, output: number) => number,
): number[] {
  const filter: Shape4 = [...g.kernel, g.inputs, outputs]
  const info = tf.backend_util.computeConv2DInfo(x.shape, filter, g.stride, 1, g.pad)
  const image = x.dataSync()
  const result: number[] = []
  for (let n = 0; n < g.batch; n++) {
    for (let y = 0; y < info.outHeight; y++) {
      for (let z = 0; z < info.outWidth; z++) {
        for (let o = 0; o < outputs; o++) {
          let sum = 0
          for (let ky = 0; ky < g.kernel[0]; ky++) {
            for (let kx = 0; kx < g.kernel[1]; kx++) {
              const row = y * g.stride - info.padInfo.top + ky
              const column = z * g.stride - info.padInfo.left + kx
              if (row < 0 || row >= g.height || column < 0 || column >= g.width) continue
              for (let i = 0; i < g.inputs; i++) {
                const pixel = image[((n * g.height + row) * g.width + column) * g.inputs + i] as number
                sum += pixel * weightOf(ky * g.kernel[1] + kx, i, o)
              }
            }
          }
          result.push(sum)
        }
      }
    }
  }
  return result
}

const check = (run: (g: Geometry) => void) =>
  fc.assert(
    fc.property(geometry, (g) => {
      tf.tidy(() => run(g))
    }),
    { numRuns },
  )

describe('convolutions', () => {
  test('are the sum over taps and channels', () => {
    check((g) => {
      const x = random4(g.seed, [g.batch, g.height, g.width, g.inputs])
      const filter = random4(g.seed + 1, [...g.kernel, g.inputs, g.outputs])
      const weights = filter.dataSync()
      const expected = defined(
        g,
        x,
        g.outputs,
        (tap, i, o) => weights[(tap * g.inputs + i) * g.outputs + o] as number,
      )
      expectClose(tf.conv2d(x, filter, g.stride, g.pad), expected)
      const first = tf.transpose(x, [0, 3, 1, 2])
      const result = tf.conv2d(first, filter, g.stride, g.pad, 'NCHW')
      expectClose(tf.transpose(result, [0, 2, 3, 1]), expected)
    })
  })

  test('by depth filter each channel by itself, several times over', () => {
    check((g) => {
      const multiplier = g.outputs
      const x = random4(g.seed, [g.batch, g.height, g.width, g.inputs])
      const filter = random4(g.seed + 1, [...g.kernel, g.inputs, multiplier])
      const weights = filter.dataSync()
      const expected = defined(g, x, g.inputs * multiplier, (tap, i, o) =>
        Math.floor(o / multiplier) === i
          ? (weights[(tap * g.inputs + i) * multiplier + (o % multiplier)] as number)
          : 0,
      )
      expectClose(tf.depthwiseConv2d(x, filter, g.stride, g.pad), expected)
    })
  })

  test('and their gradients are adjoint', () => {
    check((g) => {
      const x = random4(g.seed, [g.batch, g.height, g.width, g.inputs])
      const filter = random4(g.seed + 1, [...g.kernel, g.inputs, g.outputs])
      const y = tf.conv2d(x, filter, g.stride, g.pad)
      const dy = random4(g.seed + 2, y.shape)
      const product = dot(y, dy)
      const attrs = { strides: g.stride, pad: g.pad, dataFormat: 'NHWC' }
      const run = (name: string, inputs: object, shape: object) =>
        tf.engine().runKernel(name, inputs as tf.NamedTensorMap, { ...attrs, ...shape } as never) as tf.Tensor
      const dx = run(tf.Conv2DBackpropInput, { dy, filter }, { inputShape: x.shape })
      const dw = run(tf.Conv2DBackpropFilter, { x, dy }, { filterShape: filter.shape })
      for (const other of [dot(x, dx), dot(filter, dw)]) {
        expect(Math.abs(other - product) / (1 + Math.abs(product))).toBeLessThan(1e-3)
      }
    })
  })

  test('fused with a bias and an activation are the three one after another', () => {
    const activation = fc.constantFrom('linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu')
    fc.assert(
      fc.property(geometry, activation, fc.boolean(), (g, name, isFirst) => {
        tf.tidy(() => {
          const x = random4(g.seed, [g.batch, g.height, g.width, g.inputs])
          const filter = random4(g.seed + 1, [...g.kernel, g.inputs, g.outputs])
          const [bias, slopes] = [random(g.seed + 2, [g.outputs]), random(g.seed + 3, [g.outputs])]
          const sum = tf.add(tf.conv2d(x, filter, g.stride, g.pad), bias)
          const expected = {
            linear: () => sum,
            relu: () => tf.relu(sum),
            relu6: () => tf.relu6(sum),
            elu: () => tf.elu(sum),
            sigmoid: () => tf.sigmoid(sum),
            leakyrelu: () => tf.leakyRelu(sum, 0.3),
            prelu: () => tf.prelu(sum, slopes),
          }[name]?.() as tf.Tensor
          const fused = tf.fused.conv2d({
            x: isFirst ? tf.transpose(x, [0, 3, 1, 2]) : x,
            filter,
            strides: g.stride,
            pad: g.pad,
            dataFormat: isFirst ? 'NCHW' : 'NHWC',
            bias,
            activation: name as 'relu',
            leakyreluAlpha: 0.3,
            ...(name === 'prelu' ? { preluActivationWeights: slopes } : {}),
          })
          expectClose(isFirst ? tf.transpose(fused, [0, 2, 3, 1]) : fused, expected.dataSync())
        })
      }),
      { numRuns },
    )
  })
})

test('matrix products are sums of products, transposed and fused or not', () => {
  const sizes = fc.record({
    seed: fc.integer(),
    batch: fc.constantFrom<[number, number]>([1, 1], [3, 3], [1, 3], [3, 1]),
    rows: fc.integer({ min: 1, max: 9 }),
    inner: fc.integer({ min: 1, max: 20 }),
    columns: fc.constantFrom(1, 7, 16, 35),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
  })
  fc.assert(
    fc.property(sizes, ({ seed, batch, rows, inner, columns, transposeA, transposeB }) => {
      tf.tidy(() => {
        const a = random(seed, [batch[0], ...(transposeA ? [inner, rows] : [rows, inner])])
        const b = random(seed + 1, [batch[1], ...(transposeB ? [columns, inner] : [inner, columns])])
        const bias = random(seed + 2, [columns])
        const [x, y] = [a.dataSync(), b.dataSync()]
        const expected: number[] = []
        for (let n = 0; n < Math.max(...batch); n++) {
          const [p, q] = [(n % batch[0]) * rows * inner, (n % batch[1]) * inner * columns]
          for (let r = 0; r < rows; r++) {
            for (let c = 0; c < columns; c++) {
              let sum = 0
              for (let k = 0; k < inner; k++) {
                const left = x[p + (transposeA ? k * rows + r : r * inner + k)] as number
                sum += left * (y[q + (transposeB ? c * inner + k : k * columns + c)] as number)
              }
              expected.push(sum)
            }
          }
        }
        expectClose(tf.matMul(a, b, transposeA, transposeB), expected)
        const shift = bias.dataSync()
        const fused = tf.fused.matMul({ a, b, transposeA, transposeB, bias, activation: 'relu' })
        expectClose(
          fused,
          expected.map((sum, i) => Math.max(0, sum + (shift[i % columns] as number))),
        )
      })
    }),
    { numRuns },
  )
})
