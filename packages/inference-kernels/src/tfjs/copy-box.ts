// SPDX-License-Identifier: Apache-2.0
// All kernels that only move elements are copies of boxes, of numbers by a record, of strings by a loop.
import { type TensorInfo, util } from '@tensorflow/tfjs-core'
import { opRecords } from '../abi.generated.ts'
import { walk } from '../operators/support.ts'
import { collapseBox, padFront, stridesOf } from '../plan/strides.ts'
import { floatToBits } from '../records/record.ts'
import type { MlcapsuleBackend } from './backend.ts'
import { countOf } from './cast.ts'

/** A box of elements within a tensor. */
export interface BoxSide {
  readonly tensor: TensorInfo
  /** Element at which the box starts. */
  readonly start: number
  /** Elements from one index to the next; may be negative or, where the box is read, 0. */
  readonly strides: readonly number[]
}

export const rowStrides = (shape: readonly number[]): number[] => stridesOf(shape, 'row-major')

export const wholeOf = (tensor: TensorInfo): BoxSide => ({
  tensor,
  start: 0,
  strides: rowStrides(tensor.shape),
})

/** Copies a box of at most 8 dimensions, after those have been joined that lie alike. */
export function copyBox(
  backend: MlcapsuleBackend,
  dims: readonly number[],
  from: BoxSide,
  to: BoxSide,
): void {
  if (util.sizeFromShape([...dims]) === 0) return
  if (to.tensor.dtype === 'complex64') {
    const sources = backend.parts(from.tensor)
    for (const [i, target] of backend.parts(to.tensor).entries()) {
      copyBox(
        backend,
        dims,
        { ...from, tensor: sources[i] as TensorInfo },
        { ...to, tensor: target as TensorInfo },
      )
    }
  } else if (to.tensor.dtype === 'string') {
    const source = backend.strings(from.tensor)
    const target = backend.strings(to.tensor)
    walk(dims, [from.strides, to.strides], (_, places) => {
      target[to.start + (places[1] as number)] = source[from.start + (places[0] as number)] as Uint8Array
    })
  } else copyNumbers(backend, dims, from, to)
}

function copyNumbers(
  backend: MlcapsuleBackend,
  boxDims: readonly number[],
  from: BoxSide,
  to: BoxSide,
): void {
  const { dims, strides } = collapseBox({ dims: boxDims, strides: [from.strides, to.strides] })
  const rank = opRecords.copy.fields.dims.length
  const elementSizeBytes = to.tensor.dtype === 'bool' ? 1 : 4
  backend.memoryOfTensors.run('copy', {
    input: backend.addressBytes(from.tensor) + from.start * elementSizeBytes,
    output: backend.addressBytes(to.tensor) + to.start * elementSizeBytes,
    elementSizeBytes,
    dims: padFront(dims, rank, 1),
    inputStrides: padFront(strides[0] ?? [], rank, 0),
    outputStrides: padFront(strides[1] ?? [], rank, 0),
  })
}

/** Gives every element of a tensor one value. */
export function fillTensor(backend: MlcapsuleBackend, tensor: TensorInfo, value: number | string): void {
  const count = countOf(tensor)
  if (count === 0) return
  if (tensor.dtype === 'string') {
    backend.strings(tensor).fill(util.encodeString(value as string))
  } else if (tensor.dtype === 'complex64') {
    const [real, imag] = backend.parts(tensor)
    fillTensor(backend, real, value)
    fillTensor(backend, imag, 0)
  } else {
    backend.memoryOfTensors.run('fill', {
      output: backend.addressBytes(tensor),
      elementSizeBytes: tensor.dtype === 'bool' ? 1 : 4,
      count,
      bits: tensor.dtype === 'float32' ? floatToBits(value as number) : Number(value) | 0,
    })
  }
}

/** The tensor with its dimensions in another order. */
export function transposeTensor(
  backend: MlcapsuleBackend,
  x: TensorInfo,
  permutation: readonly number[],
): TensorInfo {
  const strides = rowStrides(x.shape)
  const made = backend.make(
    permutation.map((d) => x.shape[d] as number),
    x.dtype,
  )
  const from = { tensor: x, start: 0, strides: permutation.map((d) => strides[d] as number) }
  copyBox(backend, made.shape, from, wholeOf(made))
  return made
}

/** A part of the tensor. */
export function sliceTensor(
  backend: MlcapsuleBackend,
  x: TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): TensorInfo {
  const strides = rowStrides(x.shape)
  const start = begin.reduce((at, index, d) => at + index * (strides[d] as number), 0)
  const made = backend.make(size, x.dtype)
  copyBox(backend, size, { tensor: x, start, strides }, wholeOf(made))
  return made
}

/** Tensors one after another along an axis, as one. */
export function concatTensors(
  backend: MlcapsuleBackend,
  tensors: readonly TensorInfo[],
  axis: number,
): TensorInfo {
  const first = tensors[0] as TensorInfo
  const shape = [...first.shape]
  shape[axis] = tensors.reduce((size, it) => size + (it.shape[axis] as number), 0)
  const made = backend.make(shape, first.dtype)
  const whole = wholeOf(made)
  let start = 0
  for (const tensor of tensors) {
    copyBox(backend, tensor.shape, wholeOf(tensor), { ...whole, start })
    start += (tensor.shape[axis] as number) * (whole.strides[axis] as number)
  }
  return made
}
