// SPDX-License-Identifier: Apache-2.0
// Convolution and pooling through the whole engine, against the definition written out over NCHW tensors.
import type { Tensor } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { noActivation, ProgramBuilder } from '../testing/program-builder.ts'
import { SeededRandom } from '../testing/random.ts'
import { runProgram } from '../testing/run-program.ts'

const numRuns = process.env.SLOW === '1' ? 2000 : 60
const nhwc = { layout: 'nhwc' } as const

const geometry = fc.record({
  seed: fc.integer(),
  batch: fc.integer({ min: 1, max: 2 }),
  height: fc.integer({ min: 1, max: 7 }),
  width: fc.integer({ min: 1, max: 7 }),
  kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  pads: fc.tuple(...([0, 0, 0, 0].map(() => fc.integer({ min: 0, max: 2 })) as never[])) as fc.Arbitrary<
    [number, number, number, number]
  >,
  dilations: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
})
type Geometry = typeof geometry extends fc.Arbitrary<infer T> ? T : never

function outputSize(g: Geometry, axis: 0 | 1): number {
  const size = (axis === 0 ? g.height : g.width) + g.pads[axis] + g.pads[axis === 0 ? 2 : 3]
  return Math.floor((size - ((g.kernel[axis] - 1) * g.dilations[axis] + 1)) / g.strides[axis]) + 1
}

/** Values under the window at (oy, ox); `undefined` for padding. */
function* windowOf(
  g: Geometry,
  x: Float32Array,
  channelCount: number,
  n: number,
  c: number,
  oy: number,
  ox: number,
) {
  for (let ky = 0; ky < g.kernel[0]; ky++) {
    for (let kx = 0; kx < g.kernel[1]; kx++) {
      const iy = oy * g.strides[0] + ky * g.dilations[0] - g.pads[0]
      const ix = ox * g.strides[1] + kx * g.dilations[1] - g.pads[1]
      const isInside = iy >= 0 && iy < g.height && ix >= 0 && ix < g.width
      yield {
        ky,
        kx,
        value: isInside ? x[((n * channelCount + c) * g.height + iy) * g.width + ix] : undefined,
      }
    }
  }
}

function expectClose(actual: Tensor | undefined, expected: readonly number[]): void {
  expect(actual?.data.length).toBe(expected.length)
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(Number(actual?.data[i]) - value)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(value)))
  }
}

function image(p: ProgramBuilder, dims: readonly number[]): number {
  const input = p.input('x', dims)
  return p.step({ op: 'transpose', input, output: p.arena(dims, nhwc), permutation: [0, 1, 2, 3] })
}

function rowMajor(p: ProgramBuilder, value: number, dims: readonly number[]): ProgramBuilder {
  const output = p.arena(dims)
  return p.output('y', p.step({ op: 'transpose', input: value, output, permutation: [0, 1, 2, 3] }))
}

const channels = fc.constantFrom(
  { groups: 1, inputs: 3, outputs: 5 },
  { groups: 1, inputs: 1, outputs: 17 },
  { groups: 2, inputs: 4, outputs: 36 },
  { groups: 3, inputs: 3, outputs: 3 },
)

test('conv2d is the sum over channels and taps of each group', async () => {
  await fc.assert(
    fc.asyncProperty(
      geometry,
      channels,
      fc.boolean(),
      async (g, { groups, inputs, outputs }, hasResidual) => {
        const [oh, ow] = [outputSize(g, 0), outputSize(g, 1)]
        fc.pre(oh >= 1 && ow >= 1)
        const random = new SeededRandom(g.seed)
        const x = random.floats(g.batch * inputs * g.height * g.width)
        const w = random.floats(outputs * (inputs / groups) * g.kernel[0] * g.kernel[1])
        const bias = random.floats(outputs)
        const p = new ProgramBuilder()
        const input = image(p, [g.batch, inputs, g.height, g.width])
        const output = [g.batch, outputs, oh, ow]
        const one = random.floats(1)
        const residual = hasResidual
          ? p.step({ op: 'expand', input: p.weights(one, [1]), output: p.arena(output, nhwc) })
          : null
        const y = p.step({
          op: 'conv2d',
          input,
          weights: p.panels(w, [outputs, inputs / groups, ...g.kernel], groups),
          bias: p.weights(bias, [outputs]),
          residual,
          output: p.arena(output, nhwc),
          strides: g.strides,
          pads: g.pads,
          dilations: g.dilations,
          groups,
          activation: { kind: 'clamp', alpha: -1, beta: 2 },
        })
        const shape = [g.batch, inputs, g.height, g.width]
        const answer = await runProgram(rowMajor(p, y, output), { x: { shape, data: x } })

        const expected: number[] = []
        const perGroup = inputs / groups
        for (let n = 0; n < g.batch; n++) {
          for (let o = 0; o < outputs; o++) {
            for (let oy = 0; oy < oh; oy++) {
              for (let ox = 0; ox < ow; ox++) {
                let sum = (bias[o] as number) + (hasResidual ? (one[0] as number) : 0)
                for (let i = 0; i < perGroup; i++) {
                  const c = Math.floor(o / (outputs / groups)) * perGroup + i
                  for (const { ky, kx, value = 0 } of windowOf(g, x, inputs, n, c, oy, ox)) {
                    sum += value * (w[((o * perGroup + i) * g.kernel[0] + ky) * g.kernel[1] + kx] as number)
                  }
                }
                expected.push(Math.min(2, Math.max(-1, sum)))
              }
            }
          }
        }
        expectClose(answer.get('y'), expected)
      },
    ),
    { numRuns },
  )
})

test('depthwiseConv2d filters each channel by itself', async () => {
  await fc.assert(
    fc.asyncProperty(geometry, fc.constantFrom(1, 5, 16, 21), async (g, count) => {
      const [oh, ow] = [outputSize(g, 0), outputSize(g, 1)]
      fc.pre(oh >= 1 && ow >= 1)
      const random = new SeededRandom(g.seed)
      const shape = [g.batch, count, g.height, g.width]
      const x = random.floats(g.batch * count * g.height * g.width)
      const w = random.floats(count * g.kernel[0] * g.kernel[1])
      const p = new ProgramBuilder()
      const y = p.step({
        op: 'depthwiseConv2d',
        input: image(p, shape),
        weights: p.depthwise(w, [count, 1, ...g.kernel]),
        bias: null,
        output: p.arena([g.batch, count, oh, ow], nhwc),
        strides: g.strides,
        pads: g.pads,
        dilations: g.dilations,
        activation: noActivation,
      })
      const answer = await runProgram(rowMajor(p, y, [g.batch, count, oh, ow]), { x: { shape, data: x } })
      const expected: number[] = []
      for (let n = 0; n < g.batch; n++) {
        for (let c = 0; c < count; c++) {
          for (let oy = 0; oy < oh; oy++) {
            for (let ox = 0; ox < ow; ox++) {
              let sum = 0
              for (const { ky, kx, value = 0 } of windowOf(g, x, count, n, c, oy, ox)) {
                sum += value * (w[(c * g.kernel[0] + ky) * g.kernel[1] + kx] as number)
              }
              expected.push(sum)
            }
          }
        }
      }
      expectClose(answer.get('y'), expected)
    }),
    { numRuns },
  )
})

test('pool2d takes the largest or the mean, with and without padding in the divisor', async () => {
  const kinds = fc.record({ pool: fc.constantFrom('max', 'average'), countIncludePad: fc.boolean() } as const)
  await fc.assert(
    fc.asyncProperty(geometry, kinds, async (g, { pool, countIncludePad }) => {
      const [oh, ow] = [outputSize(g, 0), outputSize(g, 1)]
      fc.pre(oh >= 1 && ow >= 1)
      const shape = [g.batch, 3, g.height, g.width]
      const x = new SeededRandom(g.seed).floats(g.batch * 3 * g.height * g.width)
      const p = new ProgramBuilder()
      const y = p.step({
        op: 'pool2d',
        input: image(p, shape),
        output: p.arena([g.batch, 3, oh, ow], nhwc),
        pool,
        kernel: g.kernel,
        strides: g.strides,
        pads: g.pads,
        dilations: g.dilations,
        countIncludePad,
      })
      const answer = (await runProgram(rowMajor(p, y, [g.batch, 3, oh, ow]), { x: { shape, data: x } })).get(
        'y',
      )
      let at = 0
      for (let n = 0; n < g.batch; n++) {
        for (let c = 0; c < 3; c++) {
          for (let oy = 0; oy < oh; oy++) {
            for (let ox = 0; ox < ow; ox++, at++) {
              const all = [...windowOf(g, x, 3, n, c, oy, ox)].map(({ value }) => value)
              const inside = all.filter((value) => value !== undefined)
              if (inside.length === 0) continue // only padding: no mean and no largest exists
              const sum = inside.reduce((a, b) => a + b, 0)
              const mean = sum / (countIncludePad ? all.length : inside.length)
              const expected = pool === 'max' ? Math.max(...inside) : mean
              expect(Number(answer?.data[at])).toBeCloseTo(expected, 5)
            }
          }
        }
      }
    }),
    { numRuns },
  )
})

test('a window that hangs over the border divides by what lies inside the padding', async () => {
  const p = new ProgramBuilder()
  const y = p.step({
    op: 'pool2d',
    input: image(p, [1, 1, 1, 4]),
    output: p.arena([1, 1, 1, 2], nhwc),
    pool: 'average',
    kernel: [1, 3],
    strides: [1, 3],
    pads: [0, 0, 0, 1],
    dilations: [1, 1],
    countIncludePad: true,
  })
  const data = Float32Array.of(1, 2, 3, 8)
  const answer = await runProgram(rowMajor(p, y, [1, 1, 1, 2]), { x: { shape: [1, 1, 1, 4], data } })
  expect(answer.get('y')?.data).toEqual(Float32Array.of(2, 4)) // 8 and one column of padding
})
