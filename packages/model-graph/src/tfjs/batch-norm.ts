// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../graph/dims.ts'
import type { Value } from '../graph/graph.ts'
import type { OnnxCalls } from './onnx-calls.ts'

/** `scale (x - mean) / √(variance + epsilon) + offset` along the last axis, or the second one. */
export function batchNorm(
  calls: OnnxCalls,
  x: Value,
  parameters: {
    readonly scale: Value | null
    readonly offset: Value | null
    readonly mean: Value
    readonly variance: Value
    readonly epsilon: number
  },
  axis: number,
): Value {
  const { scale, offset, mean, variance, epsilon } = parameters
  if (axis >= x.dims.length) calls.mismatch(`${formatDims(x.dims)} has no channels in dimension ${axis}`)
  const deviation = calls.call('Sqrt', [calls.call('Add', [variance, calls.scalar(epsilon)])])
  const factor =
    scale === null ? calls.call('Reciprocal', [deviation]) : calls.call('Div', [scale, deviation])
  const shift = calls.call('Mul', [mean, factor])
  const bias = offset === null ? calls.call('Neg', [shift]) : calls.call('Sub', [offset, shift])
  const along = (vector: Value) => {
    const trailing = x.dims.length - 1 - axis
    return trailing === 0 ? vector : calls.reshape(vector, [-1, ...new Array<number>(trailing).fill(1)])
  }
  return calls.call('Add', [calls.call('Mul', [x, along(factor)]), along(bias)])
}
