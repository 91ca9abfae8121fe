// SPDX-License-Identifier: Apache-2.0
import { packQuantizedPanel } from '../program/quantized-panels.ts'
import type { Program, Quantization } from '../program/types.ts'
import { ProgramBuilder } from './program-builder.ts'
import { SeededRandom } from './random.ts'

/** Panels of up to 16 columns of random bytes. */
function panel(
  random: SeededRandom,
  columnCount: number,
  channelCount: number,
  tapCount: number,
): Uint8Array {
  const rows = Array.from({ length: columnCount * channelCount * tapCount }, () => random.int(-128, 127))
  const columns = Array.from({ length: columnCount }, () => ({
    bias: random.int(-5000, 5000),
    multiplier: 0.001 + random.next() / 500,
  }))
  return packQuantizedPanel(rows, columns, channelCount, tapCount)
}

/** A program that uses every step on bytes once at least. Input `image` [N, 3, 8, 8], N bound later; output `scores` [N, 5]. */
export function bytesProgram(seed = 1): { readonly program: Program; readonly weights: Uint8Array } {
  const random = new SeededRandom(seed)
  const p = new ProgramBuilder()
  const n = p.symbol('N')
  const bytes = { dtype: 'uint8', layout: 'nhwc' } as const
  const quantization = (scale: number, zero: number, low = 0): Quantization => ({
    scale,
    zero,
    low,
    high: 255,
  })
  const square = { strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], groups: 1 } as const
  const image = p.input('image', [n, 3, 8, 8])
  const turned = p.step({
    op: 'transpose',
    input: image,
    output: p.arena([n, 3, 8, 8], { layout: 'nhwc' }),
    permutation: [0, 1, 2, 3],
  })
  const pixels = p.step({
    op: 'quantize',
    input: turned,
    output: p.arena([n, 3, 8, 8], bytes),
    quantization: quantization(1 / 128, 128),
  })
  const none = { residual: null, residualScale: 0, residualZero: 0 }
  const stem = p.step({
    op: 'quantizedConv2d',
    input: pixels,
    weights: p.bytes(panel(random, 6, 3, 9), [6, 3, 3, 3]),
    output: p.arena([n, 6, 8, 8], bytes),
    ...square,
    ...none,
    inputZero: 128,
    quantization: quantization(0.25, 64, 64),
    sumQuantization: quantization(1, 0),
  })
  const joined = p.step({
    op: 'quantizedConv2d',
    input: stem,
    weights: p.bytes(panel(random, 6, 6, 9), [6, 6, 3, 3]),
    output: p.arena([n, 6, 8, 8], bytes),
    ...square,
    residual: stem,
    residualScale: 0.25,
    residualZero: 64,
    inputZero: 64,
    quantization: quantization(0.5, 100),
    sumQuantization: quantization(0.75, 90),
  })
  const added = p.step({
    op: 'quantizedAdd',
    a: stem,
    b: joined,
    output: p.arena([n, 6, 8, 8], bytes),
    aScale: 0.25,
    aZero: 64,
    bScale: 0.75,
    bZero: 90,
    quantization: quantization(1, 80),
  })
  const pooled = p.step({
    op: 'quantizedMaxPool2d',
    input: added,
    output: p.arena([n, 6, 1, 1], bytes),
    kernel: [8, 8],
    strides: [8, 8],
    pads: [0, 0, 0, 0],
    dilations: [1, 1],
  })
  const scores = p.step({
    op: 'quantizedDense',
    input: p.alias(pooled, [n, 6]),
    weights: p.bytes(panel(random, 5, 6, 1), [6, 5]),
    output: p.arena([n, 5], { dtype: 'uint8' }),
    inputZero: 80,
    quantization: quantization(0.5, 128),
  })
  const numbers = p.step({ op: 'dequantize', input: scores, output: p.arena([n, 5]), scale: 0.5, zero: 128 })
  return p.output('scores', numbers).build()
}
