// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { recordFlags } from '../../abi.generated.ts'
import { broadcastStrides } from '../../plan/strides.ts'
import { floatWeights } from '../../records/weights.ts'
import { activationFields, applyActivation, finishActivation } from '../activation.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor, countOf } from '../cast.ts'
import { copyBox, fillTensor, transposeTensor, wholeOf } from '../copy-box.ts'
import { binaryInto, combineTensors } from '../elementwise.ts'
import { defineKernel, type Given, type TfjsKernel } from '../kernel.ts'
import { packColumns, packedCount } from '../pack-columns.ts'
import { runOperator } from '../run-operator.ts'

/** Operands of one dtype, not transposed, whose batches broadcast. */
interface Operands {
  readonly a: tf.TensorInfo
  readonly b: tf.TensorInfo
  readonly shape: number[]
}

/** The last two dimensions exchanged. */
function swapped(backend: MlcapsuleBackend, x: tf.TensorInfo): tf.TensorInfo {
  const { length } = x.shape
  const order = x.shape.map((_, d) => (d === length - 1 ? length - 2 : d === length - 2 ? length - 1 : d))
  return transposeTensor(backend, x, order)
}

function prepared(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  isTransposed: boolean,
  dtype: tf.DataType,
): tf.TensorInfo {
  const numbers = castTensor(backend, x, dtype)
  if (!isTransposed) return numbers
  const turned = swapped(backend, numbers)
  backend.release(numbers)
  return turned
}

function operandsOf(
  backend: MlcapsuleBackend,
  inputs: Given<tf.BatchMatMulInputs>,
  { transposeA, transposeB }: tf.BatchMatMulAttrs,
  dtype: tf.DataType,
): Operands {
  const a = prepared(backend, inputs.a, transposeA, dtype)
  const b = prepared(backend, inputs.b, transposeB, dtype)
  const [rows, inner] = a.shape.slice(-2) as [number, number]
  const [innerOfB, columns] = b.shape.slice(-2) as [number, number]
  if (inner !== innerOfB) {
    throw new RangeError(
      `Error in matMul: inner shapes (${inner}) and (${innerOfB}) of Tensors with shapes ${inputs.a.shape} and ` +
        `${inputs.b.shape} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
    )
  }
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2))
  return { a, b, shape: [...batch, rows, columns] }
}

/** One record for each batch that the operands do not walk evenly through; for most products that is one. */
function multiply(backend: MlcapsuleBackend, { a, b, shape }: Operands): tf.TensorInfo {
  const made = backend.make(shape, 'float32')
  const [rowCount, columnCount] = shape.slice(-2) as [number, number]
  const innerCount = a.shape.at(-1) as number
  if (countOf(made) === 0) return made
  if (innerCount === 0) {
    fillTensor(backend, made, 0)
    return made
  }
  const batch = shape.slice(0, -2)
  const isWalkedEvenly = (x: tf.TensorInfo) => {
    const own = tf.util.sizeFromShape(x.shape.slice(0, -2))
    return own === 1 || own === tf.util.sizeFromShape(batch)
  }
  const record = (batchCount: number, aAt: number, bAt: number, to: number) =>
    backend.memoryOfTensors.run('matmul', {
      a: backend.floatAddressBytes(a) + 4 * aAt * rowCount * innerCount,
      b: backend.floatAddressBytes(b) + 4 * bAt * innerCount * columnCount,
      output: backend.floatAddressBytes(made) + 4 * to * rowCount * columnCount,
      batchCount,
      rowCount,
      innerCount,
      columnCount,
      aBatchStride: countOf(a) === rowCount * innerCount ? 0 : rowCount * innerCount,
      bBatchStride: countOf(b) === innerCount * columnCount ? 0 : innerCount * columnCount,
    })
  const batchCount = tf.util.sizeFromShape(batch)
  if (isWalkedEvenly(a) && isWalkedEvenly(b)) {
    record(batchCount, 0, 0, 0)
    return made
  }
  const aStrides = broadcastStrides(a.shape.slice(0, -2), 'row-major', batch.length)
  const bStrides = broadcastStrides(b.shape.slice(0, -2), 'row-major', batch.length)
  for (let n = 0; n < batchCount; n++) {
    const index = tf.util.indexToLoc(n, batch.length, tf.util.computeStrides(batch))
    const at = (strides: readonly number[]) =>
      strides.reduce((sum, s, d) => sum + s * (index[d] as number), 0)
    record(1, at(aStrides), at(bStrides), n)
  }
  return made
}

const batchMatMul = defineKernel<tf.BatchMatMulInputs, tf.BatchMatMulAttrs>(
  tf.BatchMatMul,
  ({ inputs, attrs, backend }) => {
    const dtype = tf.upcastType(inputs.a.dtype, inputs.b.dtype)
    const isFloat = dtype === 'float32'
    const operands = operandsOf(backend, inputs, attrs, isFloat ? dtype : 'int32')
    const { a, b } = operands
    const made = isFloat ? multiply(backend, operands) : runOperator(backend, 'MatMul', [a, b])
    backend.release(a, b)
    return made
  },
)

/** A bias of one number per column, as the record reads it; null for one of another shape. */
function columnBias(
  backend: MlcapsuleBackend,
  bias: tf.TensorInfo | undefined,
  columnCount: number,
): tf.TensorInfo | null {
  if (bias === undefined || bias.shape.slice(0, -1).some((dim) => dim !== 1)) return null
  const size = bias.shape.at(-1) ?? 1
  if (size === columnCount) return backend.share(bias, [columnCount])
  if (size !== 1) return null
  const spread = backend.make([columnCount], 'float32')
  copyBox(backend, [columnCount], { tensor: bias, start: 0, strides: [0] }, wholeOf(spread))
  return spread
}

/** A product of integers stays one of integers, and exact; only an activation goes by way of float32. */
function fusedWhole(
  backend: MlcapsuleBackend,
  { bias, preluActivationWeights }: Given<tf._FusedMatMulInputs>,
  { a, b }: Operands,
  attrs: tf._FusedMatMulAttrs,
): tf.TensorInfo {
  let made = runOperator(backend, 'MatMul', [a, b])
  const replace = (next: tf.TensorInfo) => {
    backend.release(made)
    made = next
  }
  if (bias !== undefined) {
    replace(combineTensors(backend, made, bias, (x, y) => x + y))
  }
  if ((attrs.activation ?? 'linear') === 'linear') return made
  replace(castTensor(backend, made, 'float32'))
  applyActivation(backend, made, attrs, preluActivationWeights)
  replace(castTensor(backend, made, 'int32'))
  return made
}

const fusedMatMul = defineKernel<tf._FusedMatMulInputs, tf._FusedMatMulAttrs>(
  tf._FusedMatMul,
  ({ inputs, attrs, backend }) => {
    const { bias, preluActivationWeights } = inputs
    const isFloat = tf.upcastType(inputs.a.dtype, inputs.b.dtype) === 'float32'
    const operands = operandsOf(backend, inputs, attrs, isFloat ? 'float32' : 'int32')
    const { a, b, shape } = operands
    if (!isFloat) {
      const whole = fusedWhole(backend, inputs, operands, attrs)
      backend.release(a, b)
      return whole
    }
    const [innerCount, columnCount] = b.shape.slice(-2) as [number, number]
    const rowCount = tf.util.sizeFromShape(a.shape.slice(0, -1))
    const columns = columnBias(backend, bias, columnCount)
    let made: tf.TensorInfo
    // Weights [.., K, N] that are one matrix are packed once and stay packed.
    if (
      countOf(b) === innerCount * columnCount &&
      countOf(b) > 0 &&
      rowCount > 0 &&
      (bias === undefined || columns !== null)
    ) {
      made = backend.make(shape, 'float32')
      const groups = { rowCount: innerCount, columnCount, groupCount: 1 }
      const weights = backend.packedAddressBytes(
        b,
        `panels ${innerCount}x${columnCount}`,
        packedCount(groups),
        (from, to) => packColumns(from, to, groups),
      )
      backend.memoryOfTensors.run('dense', {
        input: backend.floatAddressBytes(a),
        weights,
        bias: columns === null ? 0 : backend.floatAddressBytes(columns),
        residual: 0,
        output: backend.floatAddressBytes(made),
        rowCount,
        innerCount,
        columnCount,
        outputGap: 0,
        flags: columns === null ? 0 : recordFlags.hasBias,
        ...activationFields(attrs),
        ...floatWeights,
      })
      finishActivation(backend, made, attrs, preluActivationWeights)
    } else {
      made = multiply(backend, operands)
      if (bias !== undefined) binaryInto(backend, 'add', made, bias, made)
      applyActivation(backend, made, attrs, preluActivationWeights)
    }
    backend.release(a, b, ...(columns === null ? [] : [columns]))
    return made
  },
)

export const matmulKernels: readonly TfjsKernel[] = [batchMatMul, fusedMatMul]
