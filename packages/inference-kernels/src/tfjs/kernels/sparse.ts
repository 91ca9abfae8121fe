// SPDX-License-Identifier: Apache-2.0
// Kernels on sparse tensors: indices [count, rank] of the elements that are there.
import * as tf from '@tensorflow/tfjs-core'
import { zeros } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import type { NumberDType } from '../tensor-memory.ts'

const util = tf.backend_util

/** Sums or means of rows of `data`, one for each run of equal segment ids. */
const segmentReduction = (name: string, isMean: boolean) =>
  defineKernel<tf.SparseSegmentSumInputs>(name, ({ inputs: { data, indices, segmentIds }, backend }) => {
    const [rowCount = 0] = data.shape
    const rows = Array.from(backend.numbers(indices))
    const segments = Array.from(backend.numbers(segmentIds))
    const segmentCount = (segments.at(-1) ?? -1) + 1
    if (segments.length > 0 && segmentCount <= 0) {
      throw new RangeError(util.getSparseSegmentReductionNegativeSegmentIdsErrorMessage())
    }
    for (const [i, segment] of segments.entries()) {
      if (i > 0 && segment < (segments[i - 1] as number)) {
        throw new RangeError(util.getSparseSegmentReductionNonIncreasingSegmentIdsErrorMessage())
      }
      if (segment < 0 || segment >= segmentCount) {
        throw new RangeError(
          util.getSparseSegmentReductionSegmentIdOutOfRangeErrorMessage(segment, segmentCount),
        )
      }
      const row = rows[i] as number
      if (!(row >= 0 && row < rowCount)) {
        throw new RangeError(util.getSparseSegmentReductionIndicesOutOfRangeErrorMessage(i, row, rowCount))
      }
    }
    const made = zeros(backend, [segmentCount, ...data.shape.slice(1)], data.dtype as NumberDType)
    const size = tf.util.sizeFromShape(data.shape.slice(1))
    const from = backend.numbers(data)
    const to = backend.numbers(made)
    const counts = new Int32Array(segmentCount)
    for (const [i, segment] of segments.entries()) {
      counts[segment] = (counts[segment] as number) + 1
      for (let k = 0; k < size; k++) {
        const at = segment * size + k
        to[at] = (to[at] as number) + (from[(rows[i] as number) * size + k] as number)
      }
    }
    if (isMean) {
      for (let i = 0; i < to.length; i++) {
        to[i] = (to[i] as number) / Math.max(1, counts[Math.floor(i / size)] as number)
      }
    }
    return made
  })

/** The new shape with its one -1, if it has one, worked out. */
function completeShape(from: number[], to: readonly number[]): number[] {
  const open = to.indexOf(-1)
  const second = to.indexOf(-1, open + 1)
  if (open >= 0 && second >= 0) {
    throw new RangeError(util.getSparseReshapeMultipleNegativeOneOutputDimErrorMessage(open, second))
  }
  const negative = to.findIndex((dim) => dim < -1)
  if (negative >= 0) {
    throw new RangeError(util.getSparseReshapeNegativeOutputDimErrorMessage(negative, to[negative] as number))
  }
  const count = tf.util.sizeFromShape(from)
  const shape = to.map((dim) => (dim === -1 ? 1 : dim))
  if (open >= 0) {
    const known = tf.util.sizeFromShape(shape)
    if (known === 0) throw new RangeError(util.getSparseReshapeEmptyTensorZeroOutputDimErrorMessage())
    if (count % known !== 0) {
      throw new RangeError(util.getSparseReshapeInputOutputMultipleErrorMessage(from, shape))
    }
    shape[open] = count / known
  }
  if (tf.util.sizeFromShape(shape) !== count) {
    throw new RangeError(util.getSparseReshapeInputOutputMismatchErrorMessage(from, shape))
  }
  return shape
}

const sparseReshape = defineKernel<tf.SparseReshapeInputs>(
  tf.SparseReshape,
  ({ inputs: { inputIndices, inputShape, newShape }, backend }) => {
    const from = Array.from(backend.numbers(inputShape))
    const to = completeShape(from, Array.from(backend.numbers(newShape)))
    const [count = 0] = inputIndices.shape
    const made = backend.make([count, to.length], inputIndices.dtype)
    const old = backend.numbers(inputIndices)
    const indices = backend.numbers(made)
    for (let n = 0; n < count; n++) {
      let place = 0
      for (const [d, dim] of from.entries()) place = place * dim + (old[n * from.length + d] as number)
      for (let d = to.length - 1; d >= 0; d--) {
        const dim = to[d] as number
        indices[n * to.length + d] = place % dim
        place = Math.floor(place / dim)
      }
    }
    return [made, backend.makeOf([to.length], newShape.dtype as NumberDType, to)]
  },
)

/** Gives every row of a sparse matrix an element: rows without one get the default in their first column. */
const sparseFillEmptyRows = defineKernel<tf.SparseFillEmptyRowsInputs>(
  tf.SparseFillEmptyRows,
  ({ inputs: { indices, values, denseShape, defaultValue }, backend }) => {
    const [count = 0, rank = 1] = indices.shape
    const [rowCount = 0] = backend.numbers(denseShape)
    const old = backend.numbers(indices)
    const oldValues = backend.numbers(values)
    const [otherwise = 0] = backend.numbers(defaultValue)
    if (rowCount === 0 && count > 0) {
      throw new RangeError(util.getSparseFillEmptyRowsIndicesDenseShapeMismatch(count))
    }
    const members = Array.from({ length: rowCount }, (): number[] => [])
    for (let n = 0; n < count; n++) {
      const row = old[n * rank] as number
      if (row < 0) throw new RangeError(util.getSparseFillEmptyRowsNegativeIndexErrorMessage(n, row))
      if (row >= rowCount) {
        throw new RangeError(util.getSparseFillEmptyRowsOutOfRangeIndexErrorMessage(n, row, rowCount))
      }
      members[row]?.push(n)
    }
    const newIndices: number[] = []
    const newValues: number[] = []
    const placeOf = new Int32Array(count)
    for (const [row, list] of members.entries()) {
      for (const n of list) {
        placeOf[n] = newValues.length
        newIndices.push(...old.subarray(n * rank, (n + 1) * rank))
        newValues.push(oldValues[n] as number)
      }
      if (list.length > 0) continue
      newIndices.push(row, ...new Array<number>(rank - 1).fill(0))
      newValues.push(otherwise)
    }
    const isEmpty = members.map((list) => (list.length === 0 ? 1 : 0))
    return [
      backend.makeOf([newValues.length, rank], indices.dtype as NumberDType, newIndices),
      backend.makeOf([newValues.length], values.dtype as NumberDType, newValues),
      backend.makeOf([rowCount], 'bool', isEmpty),
      backend.makeOf([count], indices.dtype as NumberDType, placeOf),
    ]
  },
)

export const sparseKernels: readonly TfjsKernel[] = [
  segmentReduction(tf.SparseSegmentSum, false),
  segmentReduction(tf.SparseSegmentMean, true),
  sparseReshape,
  sparseFillEmptyRows,
]
