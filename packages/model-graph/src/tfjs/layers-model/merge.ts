// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import type { Layer, LayerImporter, LayerTable } from './layer.ts'

/** Operands of fewer dimensions get new ones after the batch. */
function alignedInputs(layer: Layer): readonly Value[] {
  const rank = Math.max(...layer.inputs.map((it) => it.dims.length))
  if (layer.inputs.length < 2) layer.invalid('two or more inputs are expected')
  return layer.inputs.map((it) => {
    const missing = rank - it.dims.length
    return missing === 0
      ? it
      : layer.unsqueeze(
          it,
          Array.from({ length: missing }, (_, i) => i + 1),
        )
  })
}

const merged =
  (opType: string): LayerImporter =>
  (layer) =>
    alignedInputs(layer).reduce((a, b) => layer.call(opType, [a, b]))

function average(layer: Layer): Value {
  return layer.call('Mean', alignedInputs(layer))
}

function subtract(layer: Layer): Value {
  if (layer.inputs.length !== 2) layer.invalid('two inputs are expected')
  return merged('Sub')(layer) as Value
}

function concatenate(layer: Layer): Value {
  return layer.call('Concat', layer.inputs, { axis: layer.config.integer('axis', -1) })
}

/** Scaled to length 1 along a dimension. */
function normalized(layer: Layer, x: Value, axis: number): Value {
  const squares = layer.call('ReduceSum', [layer.call('Mul', [x, x]), layer.integers([axis])])
  const length = layer.call('Sqrt', [layer.call('Max', [squares, layer.scalar(1e-7)])])
  return layer.call('Div', [x, length])
}

/** Products over one dimension of each operand, sample by sample. */
function dot(layer: Layer): Value {
  if (layer.inputs.length !== 2) layer.invalid('two inputs are expected')
  const given = layer.config.get('axes')
  const axes = typeof given === 'number' ? [given, given] : layer.config.integers('axes')
  const [a, b] = layer.inputs.map((value, i) => {
    const axis = layer.axis(axes[i] ?? layer.invalid('axes are two numbers'), value.dims.length)
    const rank = value.dims.length
    if (axis === 0 || (rank !== 2 && rank !== 3)) layer.unsupported(`operands ${formatDims(value.dims)}`)
    return {
      value: layer.config.flag('normalize', false) ? normalized(layer, value, axis) : value,
      axis,
      rank,
    }
  }) as [Operand, Operand]
  // [N, rows, K] times [N, K, columns], with rows and columns of 1 for operands of two dimensions.
  const left = a.rank === 2 ? layer.unsqueeze(a.value, [1]) : a.axis === 2 ? a.value : swapped(layer, a.value)
  const right =
    b.rank === 2 ? layer.unsqueeze(b.value, [2]) : b.axis === 1 ? b.value : swapped(layer, b.value)
  const product = layer.call('MatMul', [left, right])
  if (a.rank === 2) return layer.squeeze(product, [1])
  return b.rank === 2 ? layer.squeeze(product, [2]) : product
}

interface Operand {
  readonly value: Value
  readonly axis: number
  readonly rank: number
}

const swapped = (layer: Layer, x: Value) => layer.transpose(x, [0, 2, 1])

export const mergeLayers: LayerTable = {
  Add: merged('Add'),
  Average: average,
  Concatenate: concatenate,
  Dot: dot,
  Maximum: merged('Max'),
  Minimum: merged('Min'),
  Multiply: merged('Mul'),
  Subtract: subtract,
}
