// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import type { Layer } from './layer.ts'

/** Runs a layer on every step of a sequence: steps are samples to it. */
export function timeDistributed(layer: Layer): Value {
  const { x } = layer
  if (x.dims.length < 3) layer.mismatch(`a sequence of tensors is expected, not ${formatDims(x.dims)}`)
  const sizesOf = (value: Value, from: number) =>
    value.dims.slice(from).map((_, i) => layer.size(value, from + i))
  const stepCount = layer.size(x, 1)
  const inner = layer.config.object('layer')
  const samples = layer.reshape(x, [-1, ...sizesOf(x, 2)])
  const [result, ...more] = layer.context.apply(inner, [samples], layer.path)
  if (result === undefined || more.length > 0) layer.unsupported('the wrapped layer has several outputs')
  return layer.reshape(result, [-1, stepCount, ...sizesOf(result, 1)])
}
