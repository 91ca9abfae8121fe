// SPDX-License-Identifier: Apache-2.0
// Kernels that read elements and blocks by index.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

/** Elements of a tensor of numbers or strings that may be read, and written, in blocks. */
export type Elements = Float32Array | Uint8Array[]

export function elementsOf(backend: MlcapsuleBackend, tensor: tf.TensorInfo): Elements {
  return tensor.dtype === 'string' ? backend.strings(tensor) : (backend.numbers(tensor) as Float32Array)
}

/** Copies `count` elements. */
export function copyElements(from: Elements, start: number, count: number, to: Elements, at: number): void {
  if (count >= 16 && from instanceof Float32Array && to instanceof Float32Array) {
    to.set(from.subarray(start, start + count), at)
    return
  }
  for (let i = 0; i < count; i++) to[at + i] = from[start + i] as never
}

const gatherV2 = defineKernel<tf.GatherV2Inputs, tf.GatherV2Attrs>(
  tf.GatherV2,
  ({ inputs: { x, indices }, attrs: { axis: given, batchDims }, backend }) => {
    const [axis = 0] = tf.util.parseAxisParam(given, x.shape)
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      tf.backend_util.segment_util.collectGatherOpShapeInfo(
        x as tf.Tensor,
        indices as tf.Tensor,
        axis,
        batchDims ?? 0,
      )
    const made = backend.make(outputShape, x.dtype)
    const places = backend.numbers(indices)
    for (const index of places) {
      if (!(index >= 0 && index < dimSize)) {
        throw new RangeError(`GatherV2: the index value ${index} is not in [0, ${dimSize - 1}]`)
      }
    }
    const from = elementsOf(backend, x)
    const to = elementsOf(backend, made)
    const perBatch = places.length / batchSize
    let at = 0
    for (let b = 0; b < batchSize; b++) {
      for (let o = 0; o < outerSize; o++) {
        const base = (b * outerSize + o) * dimSize
        for (let i = 0; i < perBatch; i++) {
          const start = (base + (places[b * perBatch + i] as number)) * sliceSize
          copyElements(from, start, sliceSize, to, at)
          at += sliceSize
        }
      }
    }
    return made
  },
)

const gatherNd = defineKernel<tf.GatherNdInputs>(tf.GatherNd, ({ inputs: { params, indices }, backend }) => {
  const [shape, sliceCount, sliceSize, strides] = tf.gather_util.prepareAndValidate(
    params as tf.Tensor,
    indices as tf.Tensor,
  )
  const made = backend.make(shape, params.dtype)
  if (sliceCount === 0) return made
  const depth = indices.shape.at(-1) as number
  const tuples = backend.numbers(indices)
  const from = elementsOf(backend, params)
  const to = elementsOf(backend, made)
  for (let n = 0; n < sliceCount; n++) {
    let start = 0
    for (let d = 0; d < depth; d++) {
      const index = tuples[n * depth + d] as number
      if (!(index >= 0 && index < (params.shape[d] as number))) {
        const tuple = tuples.slice(n * depth, (n + 1) * depth)
        throw new RangeError(`Invalid indices: ${tuple} does not index into ${params.shape}`)
      }
      start += index * (strides[d] as number) * sliceSize
    }
    copyElements(from, start, sliceSize, to, n * sliceSize)
  }
  return made
})

export const gatheringKernels: readonly TfjsKernel[] = [gatherV2, gatherNd]
