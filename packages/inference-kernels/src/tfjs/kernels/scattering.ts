// SPDX-License-Identifier: Apache-2.0
// Kernels that write blocks by index.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { copyBox, fillTensor, wholeOf } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { elementsOf } from './gathering.ts'

/** Writes updates, or adds them, at the tuples of indices. A single update goes everywhere. */
function scatterInto(
  backend: MlcapsuleBackend,
  target: tf.TensorInfo,
  indices: tf.TensorInfo,
  updates: tf.TensorInfo,
  isAdded: boolean,
): void {
  const { sliceRank, numUpdates, sliceSize, strides } = tf.backend_util.calculateShapes(
    updates,
    indices,
    target.shape,
  )
  const tuples = backend.numbers(indices)
  const from = elementsOf(backend, updates)
  const to = elementsOf(backend, target)
  const isOne = updates.shape.length === 0
  for (let n = 0; n < numUpdates; n++) {
    let block = 0
    for (let d = 0; d < sliceRank; d++) {
      const index = tuples[n * sliceRank + d] as number
      if (!(index >= 0 && index < (target.shape[d] as number))) {
        const tuple = tuples.slice(n * sliceRank, (n + 1) * sliceRank)
        throw new RangeError(`Invalid indices: ${tuple} does not index into ${target.shape}`)
      }
      block += index * (strides[d] as number)
    }
    const start = block * sliceSize
    for (let i = 0; i < sliceSize; i++) {
      const value = from[isOne ? 0 : n * sliceSize + i] as number
      to[start + i] = (isAdded ? (to[start + i] as number) + value : value) as never
    }
  }
}

const scatterNd = defineKernel<tf.ScatterNdInputs, tf.ScatterNdAttrs>(
  tf.ScatterNd,
  ({ inputs: { indices, updates }, attrs: { shape }, backend }) => {
    const made = backend.make(shape, updates.dtype)
    fillTensor(backend, made, 0)
    scatterInto(backend, made, indices, updates, true)
    return made
  },
)

const tensorScatterUpdate = defineKernel<tf.TensorScatterUpdateInputs>(
  tf.TensorScatterUpdate,
  ({ inputs: { tensor, indices, updates }, backend }) => {
    const made = backend.make(tensor.shape, tensor.dtype)
    copyBox(backend, tensor.shape, wholeOf(tensor), wholeOf(made))
    scatterInto(backend, made, indices, updates, false)
    return made
  },
)

const sparseToDense = defineKernel<tf.SparseToDenseInputs, tf.SparseToDenseAttrs>(
  tf.SparseToDense,
  ({ inputs: { sparseIndices, sparseValues, defaultValue }, attrs: { outputShape }, backend }) => {
    const made = backend.make(outputShape, sparseValues.dtype)
    const otherwise = { tensor: defaultValue, start: 0, strides: outputShape.map(() => 0) }
    copyBox(backend, outputShape, otherwise, wholeOf(made))
    scatterInto(backend, made, sparseIndices, sparseValues, false)
    return made
  },
)

const unsortedSegmentSum = defineKernel<tf.UnsortedSegmentSumInputs, tf.UnsortedSegmentSumAttrs>(
  tf.UnsortedSegmentSum,
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
    const rest = x.shape.slice(segmentIds.shape.length)
    if (!tf.util.arraysEqual(x.shape, [...segmentIds.shape, ...rest])) {
      throw new RangeError(`segments of shape ${segmentIds.shape} for a tensor of shape ${x.shape}`)
    }
    const made = backend.make([numSegments, ...rest], x.dtype)
    fillTensor(backend, made, 0)
    const size = tf.util.sizeFromShape(rest)
    const from = backend.numbers(x)
    const to = backend.numbers(made)
    for (const [n, segment] of backend.numbers(segmentIds).entries()) {
      // As in TensorFlow, rows of no segment are left out.
      if (!(segment >= 0 && segment < numSegments)) continue
      for (let i = 0; i < size; i++) {
        to[segment * size + i] = (to[segment * size + i] as number) + (from[n * size + i] as number)
      }
    }
    return made
  },
)

export const scatteringKernels: readonly TfjsKernel[] = [
  scatterNd,
  tensorScatterUpdate,
  sparseToDense,
  unsortedSegmentSum,
]
