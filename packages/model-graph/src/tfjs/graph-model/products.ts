// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { fusedSteps } from './fused.ts'
import type { TfOp, TfTable } from './op.ts'

function matMul(op: TfOp, transposeA: string, transposeB: string): Value {
  const operand = (index: number, attribute: string): Value => {
    const value = op.input(index)
    if (!op.attributes.flag(attribute)) return value
    const rank = value.dims.length
    if (rank < 2) op.mismatch('an operand is not a matrix')
    const axes = Array.from({ length: rank - 2 }, (_, axis) => axis)
    return op.transpose(value, [...axes, rank - 1, rank - 2])
  }
  return op.call('MatMul', [operand(0, transposeA), operand(1, transposeB)])
}

const plain = (op: TfOp) => matMul(op, 'transpose_a', 'transpose_b')
const batched = (op: TfOp) => matMul(op, 'adj_x', 'adj_y')

function fusedMatMul(op: TfOp): Value {
  const { bias, finish } = fusedSteps(op, 2)
  const product = plain(op)
  return finish(bias === null ? product : op.call('Add', [product, bias]))
}

export const productOps: TfTable = {
  BatchMatMul: batched,
  BatchMatMulV2: batched,
  Einsum: (op) => op.call('Einsum', op.inputs, { equation: op.attributes.string('equation', '') }),
  MatMul: plain,
  _FusedMatMul: fusedMatMul,
}
