// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import type { TfImporter, TfOp, TfTable } from './op.ts'

const shapeOf = (op: TfOp, x: Value) => op.call('Shape', [x])

/** As many elements of one value as the input has. */
const filledLike =
  (value: number): TfImporter =>
  (op) => {
    const x = op.input(0)
    return op.call('Expand', [op.scalar(value, x.dtype), shapeOf(op, x)])
  }

/** @param value of every element of the shape that is the input */
const filled =
  (value: number): TfImporter =>
  (op) =>
    op.call('Expand', [op.scalar(value, op.attributes.dtype('T', 'float32')), op.indexList(op.input(0))])

/** An index out of range gives a row of `off`; ONNX would count negative ones from the end. */
function oneHot(op: TfOp): Value {
  const [indices, depth, on, off] = [op.input(0), op.input(1), op.input(2), op.input(3)]
  const zero = op.scalar(0, indices.dtype)
  const outside = op.cast(op.reshape(depth, []), indices.dtype)
  const safe = op.call('Where', [op.call('Less', [indices, zero]), outside, indices])
  const values = op.call('Concat', [op.reshape(off, [1]), op.reshape(on, [1])], { axis: 0 })
  return op.call('OneHot', [safe, op.cast(depth, 'int64'), values], { axis: op.attributes.int('axis', -1) })
}

function linearSpace(op: TfOp): Value {
  const start = op.knownNumber(op.input(0), 'start')
  const stop = op.knownNumber(op.input(1), 'stop')
  const count = op.number(op.input(2), 'the count')
  if (count < 1 || count > 1_000_000) op.unsupported(`${count} elements`)
  const step = count === 1 ? 0 : (stop - start) / (count - 1)
  return op.floats(Array.from({ length: count }, (_, i) => start + i * step))
}

const int32 = (op: TfOp, value: Value) => op.cast(value, op.attributes.dtype('out_type', 'int32'))

export const creationOps: TfTable = {
  Fill: (op) => op.call('Expand', [op.input(1), op.indexList(op.input(0))]),
  LinSpace: linearSpace,
  OneHot: oneHot,
  Ones: filled(1),
  OnesLike: filledLike(1),
  Range: (op) => op.call('Range', [op.input(0), op.input(1), op.input(2)]),
  Rank: (op) => op.scalar(op.input(0).dims.length, 'int32'),
  Shape: (op) => int32(op, shapeOf(op, op.input(0))),
  ShapeN: (op) => op.inputs.map((x) => int32(op, shapeOf(op, x))),
  Size: (op) => int32(op, op.call('Size', [op.input(0)])),
  Zeros: filled(0),
  ZerosLike: filledLike(0),
}
