// SPDX-License-Identifier: Apache-2.0
import type { Program } from '../program/types.ts'
import { noActivation, ProgramBuilder } from './program-builder.ts'
import { SeededRandom } from './random.ts'

/**
 * A network with more weights than arena, 1.3 MB of them, that reads them in all the ways that can be streamed: a convolution
 * in place and by transforms, one with groups, a depthwise one, dense layers with a residual, and small ones besides. Input
 * `image` [N, 16, 12, 12], N bound later.
 */
export function streamedProgram(seed = 1): { readonly program: Program; readonly weights: Uint8Array } {
  const random = new SeededRandom(seed)
  const floats = (dims: readonly number[]) =>
    random.floats(
      dims.reduce((a, b) => a * b, 1),
      -0.1,
      0.1,
    )
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const nhwc = { layout: 'nhwc' } as const
  const same = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const
  const clamp = { kind: 'clamp', alpha: 0, beta: 6 } as const
  const conv = (input: number, dims: readonly [number, number, number, number], groups = 1) =>
    p.step({
      op: 'conv2d',
      input,
      weights: p.panels(floats(dims), dims, groups),
      bias: p.weights(floats([dims[0]]), [dims[0]]),
      residual: null,
      output: p.arena([n, dims[0], 12, 12], nhwc),
      ...same,
      pads: dims[2] === 3 ? [1, 1, 1, 1] : [0, 0, 0, 0],
      groups,
      activation: clamp,
    })
  const dense = (input: number, dims: readonly [number, number], residual: number | null) =>
    p.step({
      op: 'dense',
      input,
      weights: p.panels(floats(dims), dims),
      bias: p.weights(floats([dims[1]]), [dims[1]]),
      residual,
      output: p.arena([n, dims[1]]),
      activation: residual === null ? clamp : noActivation,
    })
  const pixels = p.step({
    op: 'transpose',
    input: p.input('image', [n, 16, 12, 12]),
    output: p.arena([n, 16, 12, 12], nhwc),
    permutation: [0, 1, 2, 3],
  })
  const transformed = conv(pixels, [72, 16, 3, 3])
  const grouped = conv(transformed, [144, 36, 3, 3], 2)
  const spread = p.step({
    op: 'depthwiseConv2d',
    input: grouped,
    weights: p.depthwise(floats([144, 1, 5, 5]), [144, 1, 5, 5]),
    bias: null,
    output: p.arena([n, 144, 12, 12], nhwc),
    ...same,
    pads: [2, 2, 2, 2],
    activation: noActivation,
  })
  const joined = conv(spread, [200, 144, 1, 1])
  const mean = p.step({
    op: 'pool2d',
    input: joined,
    output: p.arena([n, 200, 1, 1], nhwc),
    pool: 'average',
    kernel: [12, 12],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    countIncludePad: false,
  })
  const hidden = dense(p.alias(mean, [n, 200]), [200, 450], null)
  const again = dense(hidden, [450, 450], hidden)
  return p.output('y', dense(again, [450, 10], null)).build()
}
