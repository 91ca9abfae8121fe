// SPDX-License-Identifier: Apache-2.0
import type { Program } from '../program/types.ts'
import { noActivation, ProgramBuilder } from './program-builder.ts'
import { SeededRandom } from './random.ts'

interface Sample {
  readonly program: Program
  readonly weights: Uint8Array
}

/** A small image network that uses every op of the format once at least. Input `image` [N, 3, 8, 8], N bound later. */
export function imageProgram(seed = 1): Sample {
  const random = new SeededRandom(seed)
  const floats = (dims: readonly number[]) =>
    random.floats(
      dims.reduce((a, b) => a * b, 1),
      -0.5,
      0.5,
    )
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const nhwc = { layout: 'nhwc' } as const
  const square = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] } as const

  const image = p.input('image', [n, 3, 8, 8])
  const pixels = p.step({
    op: 'transpose',
    input: image,
    output: p.arena([n, 3, 8, 8], nhwc),
    permutation: [0, 1, 2, 3],
  })
  const stem = p.step({
    op: 'conv2d',
    input: pixels,
    weights: p.panels(floats([20, 3, 3, 3]), [20, 3, 3, 3]),
    bias: p.weights(floats([20]), [20]),
    residual: null,
    output: p.arena([n, 20, 8, 8], nhwc),
    ...square,
    groups: 1,
    activation: { kind: 'clamp', alpha: 0, beta: 6 },
  })
  const spread = p.step({
    op: 'depthwiseConv2d',
    input: stem,
    weights: p.depthwise(floats([20, 1, 3, 3]), [20, 1, 3, 3]),
    bias: null,
    output: p.arena([n, 20, 8, 8], nhwc),
    ...square,
    activation: { kind: 'leakyrelu', alpha: 0.125, beta: 0 },
  })
  const joined = p.step({
    op: 'conv2d',
    input: spread,
    weights: p.panels(floats([20, 10, 1, 1]), [20, 10, 1, 1], 2),
    bias: null,
    residual: stem,
    output: p.arena([n, 20, 8, 8], nhwc),
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: 2,
    activation: noActivation,
  })
  const pooled = p.step({
    op: 'pool2d',
    input: joined,
    output: p.arena([n, 20, 4, 4], nhwc),
    pool: 'max',
    kernel: [2, 2],
    strides: [2, 2],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    countIncludePad: false,
  })
  const cut = p.step({
    op: 'slice',
    input: pooled,
    output: p.arena([n, 10, 4, 4], nhwc),
    starts: [0, 19, 0, 0],
    steps: [1, -2, 1, 1],
  })
  const both = p.step({
    op: 'concat',
    inputs: [pooled, cut],
    output: p.arena([n, 30, 4, 4], nhwc),
    axis: 1,
  })
  const scaled = p.step({
    op: 'binary',
    a: both,
    b: p.weights(floats([30]), [30, 1, 1]),
    output: p.arena([n, 30, 4, 4], nhwc),
    binary: 'mul',
    activation: { kind: 'silu', alpha: 0, beta: 0 },
  })
  const mean = p.step({
    op: 'pool2d',
    input: scaled,
    output: p.arena([n, 30, 1, 1], nhwc),
    pool: 'average',
    kernel: [4, 4],
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    countIncludePad: false,
  })
  const hidden = p.step({
    op: 'dense',
    input: p.alias(mean, [n, 30]),
    weights: p.panels(floats([30, 7]), [30, 7]),
    bias: p.weights(floats([7]), [7]),
    residual: null,
    output: p.arena([n, 7]),
    activation: noActivation,
  })
  const curved = p.step({
    op: 'unary',
    input: hidden,
    output: p.arena([n, 7]),
    unary: 'tanh',
    alpha: 0,
    beta: 0,
  })
  const padded = p.step({ op: 'pad', input: curved, output: p.arena([n, 9]), before: [0, 1], value: 0.25 })
  const square9 = p.step({
    op: 'expand',
    input: p.weights(floats([9]), [9, 1]),
    output: p.arena([9, 5]),
  })
  const scores = p.step({ op: 'matmul', a: padded, b: square9, output: p.arena([n, 5]) })
  const answer = p.step({
    op: 'softmax',
    input: scores,
    output: p.arena([n, 5]),
    axis: 1,
    softmax: 'softmax',
  })
  return p.output('scores', answer).build()
}

/** Two dense layers: input `x` [1, 4], output `y` [1, 3]. No symbols. */
export function denseProgram(seed = 1): Sample {
  const random = new SeededRandom(seed)
  const p = new ProgramBuilder()
  const x = p.input('x', [1, 4])
  const hidden = p.step({
    op: 'dense',
    input: x,
    weights: p.panels(random.floats(80), [4, 20]),
    bias: p.weights(random.floats(20), [20]),
    residual: null,
    output: p.arena([1, 20]),
    activation: { kind: 'clamp', alpha: 0, beta: Number.POSITIVE_INFINITY },
  })
  const y = p.step({
    op: 'dense',
    input: hidden,
    weights: p.panels(random.floats(60), [20, 3]),
    bias: p.weights(random.floats(3), [3]),
    residual: null,
    output: p.arena([1, 3]),
    activation: noActivation,
  })
  return p.output('y', y).build()
}

/**
 * Input `x` [N, 2]. Output `all`: the rows of all queries of a sequence so far; output `sum` [1, 2]: their first rows' sum.
 * One state grows, of [P, 2]; the other has a fixed size.
 */
export function sequenceProgram(): Sample {
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const x = p.input('x', [n, 2])
  const past = p.arena([p.symbol('P'), 2])
  const total = p.arena([1, 2])
  const all = p.step({ op: 'concat', inputs: [past, x], output: p.arena([null, 2]), axis: 0 })
  const first = p.step({
    op: 'slice',
    input: x,
    output: p.arena([1, 2]),
    starts: [0, 0],
    steps: [1, 1],
  })
  const sum = p.step({
    op: 'binary',
    a: total,
    b: first,
    output: p.arena([1, 2]),
    binary: 'add',
    activation: noActivation,
  })
  return p.output('all', all).output('sum', sum).state(past, all).state(total, sum).build()
}

/**
 * A program whose course depends on data: `y` is |relu(x)| where `mode` is true, else |-x| in the shape that `target` lists;
 * `s` is the shape of x [N, 3].
 */
export function branchProgram(): Sample {
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const x = p.input('x', [n, 3])
  const mode = p.input('mode', [], 'bool')
  const target = p.input('target', [2], 'int64')
  const shape = p.step({
    op: 'operator',
    operator: 'Shape',
    inputs: [x],
    outputs: [p.arena([2], { dtype: 'int64' })],
    attributes: { start: 0, end: 2 ** 31 - 1 },
  })
  const [positive, reshaped, negative, chosen, y] = Array.from({ length: 5 }, () =>
    p.arena([null, null]),
  ) as [number, number, number, number, number]
  p.step({
    op: 'if',
    condition: mode,
    thenStepCount: 1,
    elseStepCount: 2,
    thenOutputs: [positive],
    elseOutputs: [negative],
    outputs: [chosen],
  })
  p.step({ op: 'unary', input: x, output: positive, unary: 'relu', alpha: 0, beta: 0 })
  p.step({
    op: 'operator',
    operator: 'Reshape',
    inputs: [x, target],
    outputs: [reshaped],
    attributes: { allowzero: false },
  })
  p.step({ op: 'unary', input: reshaped, output: negative, unary: 'neg', alpha: 0, beta: 0 })
  p.step({ op: 'unary', input: chosen, output: y, unary: 'abs', alpha: 0, beta: 0 })
  return p.output('y', y).output('s', shape).build()
}

/** Two layers of weights kept smaller: a convolution of int8 ones, a dense one of float16. Input `image` [1, 2, 5, 5]. */
export function compactProgram(seed = 3): Sample {
  const random = new SeededRandom(seed)
  const p = new ProgramBuilder()
  const nhwc = { layout: 'nhwc' } as const
  const pixels = p.step({
    op: 'transpose',
    input: p.input('image', [1, 2, 5, 5]),
    output: p.arena([1, 2, 5, 5], nhwc),
    permutation: [0, 1, 2, 3],
  })
  const bytes = Int8Array.from(random.floats(18 * 32, -127, 127))
  const filtered = p.step({
    op: 'conv2d',
    input: pixels,
    weights: p.weights(bytes, [20, 2, 3, 3], 'panels16'),
    bias: null,
    residual: null,
    output: p.arena([1, 20, 3, 3], nhwc),
    strides: [1, 1],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
    groups: 1,
    activation: noActivation,
    scales: p.weights(random.floats(20, 0.001, 0.01), [20]),
  })
  const halves = Uint16Array.from({ length: 180 * 16 }, () => random.int(0, 0x3bff))
  const output = p.step({
    op: 'dense',
    input: p.alias(filtered, [1, 180]),
    weights: p.weights(halves, [180, 7], 'panels16'),
    bias: null,
    residual: null,
    output: p.arena([1, 7]),
    activation: noActivation,
  })
  return p.output('scores', output).build()
}
