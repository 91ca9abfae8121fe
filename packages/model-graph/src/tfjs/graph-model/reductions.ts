// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import type { TfImporter, TfOp, TfTable } from './op.ts'

function reduce(op: TfOp, opType: string, x: Value): Value {
  const keepdims = op.attributes.flag('keep_dims') || op.attributes.flag('keepdims')
  const axes = op.numbers(op.input(1), 'the axes').map((axis) => op.axis(axis, x.dims.length))
  const isImage = x.dims.length === 4 && axes.length === 2 && axes.includes(1) && axes.includes(2)
  if (!isImage || x.dtype !== 'float32') {
    return op.call(opType, [x, op.integers(axes)], { keepdims, noop_with_empty_axes: 1 })
  }
  // Height and width of an image are pooled where its channels are the second dimension.
  const reduced = op.call(opType, [op.transpose(x, [0, 3, 1, 2]), op.integers([2, 3])], { keepdims })
  return keepdims ? op.transpose(reduced, [0, 2, 3, 1]) : reduced
}

const reduction =
  (opType: string): TfImporter =>
  (op) =>
    reduce(op, opType, op.input(0))

/** TensorFlow.js has float32 means, of integers too. */
function mean(op: TfOp): Value {
  return reduce(op, 'ReduceMean', op.cast(op.input(0), 'float32'))
}

/** Over booleans as such: of none of them, the largest number would not be false. */
const logical =
  (opType: 'ReduceMin' | 'ReduceMax'): TfImporter =>
  (op) =>
    reduce(op, opType, op.cast(op.input(0), 'bool'))

const extreme =
  (opType: 'ArgMax' | 'ArgMin'): TfImporter =>
  (op) => {
    const axis = op.inputs.length > 1 ? op.number(op.input(1), 'the axis') : 0
    return op.cast(op.call(opType, [op.input(0)], { axis, keepdims: 0 }), 'int32')
  }

function cumulativeSum(op: TfOp): Value {
  const axis = op.integers([op.number(op.input(1), 'the axis')])
  return op.call('CumSum', [op.input(0), op.reshape(axis, [])], {
    exclusive: op.attributes.flag('exclusive'),
    reverse: op.attributes.flag('reverse'),
  })
}

/** The largest along the last dimension, in order, and where they stand. */
function topK(op: TfOp): readonly Value[] {
  const k = op.reshape(op.cast(op.input(1), 'int64'), [1])
  const [values, indices] = op.outputs('TopK', [op.input(0), k], { axis: -1, largest: 1, sorted: 1 }, 2)
  return [values as Value, op.cast(indices as Value, 'int32')]
}

/** Indices of elements that are not 0, one row for each. */
function where(op: TfOp): Value {
  if (op.inputs.length !== 1) op.invalid('one input is expected')
  return op.cast(op.transpose(op.call('NonZero', [op.input(0)]), [1, 0]), 'int32')
}

/** The best boxes that do not overlap much, by their places in the list. */
function nonMaxSuppression(op: TfOp): Value {
  const boxes = op.unsqueeze(op.input(0), [0])
  const scores = op.unsqueeze(op.input(1), [0, 1])
  const most = op.cast(op.input(2), 'int64')
  const scoreThreshold = op.inputs.length > 4 ? op.input(4) : null
  const chosen = op.call('NonMaxSuppression', [boxes, scores, most, op.input(3), scoreThreshold])
  const place = op.call('Gather', [chosen, op.scalar(2, 'int64')], { axis: 1 })
  return op.cast(place, 'int32')
}

/** A matrix without what lies farther from its diagonal than so many rows and columns; -1 keeps that whole side. */
function bandPart(op: TfOp): Value {
  const lower = op.number(op.input(1), 'num_lower')
  const upper = op.number(op.input(2), 'num_upper')
  const diagonal = (k: number) => op.scalar(k, 'int64')
  const cut = upper < 0 ? op.input(0) : op.call('Trilu', [op.input(0), diagonal(upper)], { upper: 0 })
  return lower < 0 ? cut : op.call('Trilu', [cut, diagonal(-lower)], { upper: 1 })
}

export const reductionOps: TfTable = {
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: extreme('ArgMax'),
  ArgMin: extreme('ArgMin'),
  Cumsum: cumulativeSum,
  EuclideanNorm: reduction('ReduceL2'),
  MatrixBandPart: bandPart,
  Max: reduction('ReduceMax'),
  Mean: mean,
  Min: reduction('ReduceMin'),
  NonMaxSuppressionV2: nonMaxSuppression,
  NonMaxSuppressionV3: nonMaxSuppression,
  Prod: reduction('ReduceProd'),
  Sum: reduction('ReduceSum'),
  TopKV2: topK,
  Where: where,
}
