// SPDX-License-Identifier: Apache-2.0
// Functions of one and of two elements: records of the kernels for float32, plain loops for all else.
import { backend_util, type DataType, type TensorInfo, util } from '@tensorflow/tfjs-core'
import { opRecords, type recordEnums } from '../abi.generated.ts'
import { type Combine, combineElements } from '../operators/elements/binary.ts'
import { broadcastStrides, collapseBox, padFront, stridesOf } from '../plan/strides.ts'
import { enumNumber } from '../records/record.ts'
import type { MlcapsuleBackend } from './backend.ts'
import { countOf } from './cast.ts'
import { operandOf } from './run-operator.ts'

export type UnaryName = (typeof recordEnums)['unary'][number]
export type BinaryName = (typeof recordEnums)['binary'][number]

/** Writes a unary record of float32 `from` into `to`, which may be the same tensor. */
export function unaryInto(
  backend: MlcapsuleBackend,
  unary: UnaryName,
  from: TensorInfo,
  to: TensorInfo,
  alpha = 0,
  beta = 0,
): void {
  const count = countOf(to)
  if (count === 0) return
  backend.memoryOfTensors.run('unary', {
    input: backend.floatAddressBytes(from),
    output: backend.floatAddressBytes(to),
    count,
    unary: enumNumber('unary', unary),
    alpha,
    beta,
  })
}

/** Writes a binary record of float32 operands, broadcast, into `to`, which may be one of the same shape. */
export function binaryInto(
  backend: MlcapsuleBackend,
  binary: BinaryName,
  a: TensorInfo,
  b: TensorInfo,
  to: TensorInfo,
): void {
  if (!util.arraysEqual(backend_util.assertAndGetBroadcastShape(a.shape, b.shape), to.shape)) {
    throw new RangeError(`operands of shapes ${a.shape} and ${b.shape} do not give ${to.shape}`)
  }
  if (countOf(to) === 0) return
  const rank = to.shape.length
  const { dims, strides } = collapseBox({
    dims: to.shape,
    strides: [
      broadcastStrides(a.shape, 'row-major', rank),
      broadcastStrides(b.shape, 'row-major', rank),
      stridesOf(to.shape, 'row-major'),
    ],
  })
  const mostDims = opRecords.binary.fields.dims.length
  backend.memoryOfTensors.run('binary', {
    a: backend.floatAddressBytes(a),
    b: backend.floatAddressBytes(b),
    output: backend.floatAddressBytes(to),
    binary: enumNumber('binary', binary),
    dims: padFront(dims, mostDims, 1),
    aStrides: padFront(strides[0] ?? [], mostDims, 0),
    bStrides: padFront(strides[1] ?? [], mostDims, 0),
    activation: enumNumber('activation', 'none'),
    activationAlpha: 0,
    activationBeta: 0,
  })
}

export function binaryRecord(
  backend: MlcapsuleBackend,
  binary: BinaryName,
  a: TensorInfo,
  b: TensorInfo,
): TensorInfo {
  const made = backend.make(backend_util.assertAndGetBroadcastShape(a.shape, b.shape), 'float32')
  binaryInto(backend, binary, a, b, made)
  return made
}

/** A function of each element, of the same dtype unless said otherwise. */
export function mapTensor(
  backend: MlcapsuleBackend,
  x: TensorInfo,
  one: (x: number) => number,
  dtype: DataType = x.dtype,
): TensorInfo {
  const made = backend.make(x.shape, dtype)
  const from = backend.numbers(x)
  const to = backend.numbers(made)
  for (let i = 0; i < to.length; i++) to[i] = one(from[i] as number)
  return made
}

/** A function of two elements, broadcast. */
export function combineTensors(
  backend: MlcapsuleBackend,
  a: TensorInfo,
  b: TensorInfo,
  two: Combine,
  dtype: DataType = a.dtype,
): TensorInfo {
  const made = backend.make(backend_util.assertAndGetBroadcastShape(a.shape, b.shape), dtype)
  const operand = (tensor: TensorInfo) =>
    tensor.dtype === 'string'
      ? { dtype: 'int32' as const, dims: tensor.shape, data: decoded(backend, tensor) as never }
      : operandOf(backend, tensor)
  combineElements(operandOf(backend, made), operand(a), operand(b), two)
  return made
}

function decoded(backend: MlcapsuleBackend, tensor: TensorInfo): string[] {
  return backend.strings(tensor).map((bytes) => util.decodeString(bytes))
}
