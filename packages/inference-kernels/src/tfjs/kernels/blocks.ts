// SPDX-License-Identifier: Apache-2.0
// Kernels that move blocks between space and batch or channels.
import * as tf from '@tensorflow/tfjs-core'
import { copyBox, fillTensor, rowStrides, sliceTensor, transposeTensor, wholeOf } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

const batchToSpaceND = defineKernel<tf.BatchToSpaceNDInputs, tf.BatchToSpaceNDAttrs>(
  tf.BatchToSpaceND,
  ({ inputs: { x }, attrs: { blockShape, crops }, backend }) => {
    const blockCount = tf.util.sizeFromShape(blockShape)
    const reshaped = tf.backend_util.getReshaped(x.shape, blockShape, blockCount)
    const permutation = tf.backend_util.getPermuted(reshaped.length, blockShape.length)
    const spread = transposeTensor(backend, { ...x, shape: reshaped }, permutation)
    const shape = tf.backend_util.getReshapedPermuted(x.shape, blockShape, blockCount)
    const begin = shape.map((_, d) => crops[d - 1]?.[0] ?? 0)
    const size = shape.map((dim, d) => dim - (crops[d - 1]?.[0] ?? 0) - (crops[d - 1]?.[1] ?? 0))
    const made = sliceTensor(backend, { ...spread, shape }, begin, size)
    backend.release(spread)
    return made
  },
)

const spaceToBatchND = defineKernel<tf.SpaceToBatchNDInputs, tf.SpaceToBatchNDAttrs>(
  tf.SpaceToBatchND,
  ({ inputs: { x }, attrs: { blockShape, paddings }, backend }) => {
    const pads = [[0, 0], ...paddings, ...x.shape.slice(1 + blockShape.length).map(() => [0, 0])]
    const padded = backend.make(
      x.shape.map((dim, d) => dim + (pads[d]?.[0] ?? 0) + (pads[d]?.[1] ?? 0)),
      x.dtype,
    )
    fillTensor(backend, padded, 0)
    const strides = rowStrides(padded.shape)
    const start = pads.reduce((at, [before = 0], d) => at + before * (strides[d] as number), 0)
    copyBox(backend, x.shape, wholeOf(x), { tensor: padded, start, strides })

    const blockCount = tf.util.sizeFromShape(blockShape)
    const reshaped = tf.backend_util.getReshaped(padded.shape, blockShape, blockCount, false)
    const permutation = tf.backend_util.getPermuted(reshaped.length, blockShape.length, false)
    const shape = tf.backend_util.getReshapedPermuted(padded.shape, blockShape, blockCount, false)
    const moved = transposeTensor(backend, { ...padded, shape: reshaped }, permutation)
    backend.release(padded)
    return { ...moved, shape }
  },
)

const depthToSpace = defineKernel<tf.DepthToSpaceInputs, tf.DepthToSpaceAttrs>(
  tf.DepthToSpace,
  ({ inputs: { x }, attrs: { blockSize: b, dataFormat }, backend }) => {
    const isLast = dataFormat === 'NHWC'
    const batch = x.shape[0] as number
    const [height, width, channels] = (isLast ? x.shape.slice(1) : [x.shape[2], x.shape[3], x.shape[1]]) as [
      number,
      number,
      number,
    ]
    const depth = channels / (b * b)
    const blocks = isLast ? [batch, height, width, b, b, depth] : [batch, b, b, depth, height, width]
    const permutation = isLast ? [0, 1, 3, 2, 4, 5] : [0, 3, 4, 1, 5, 2]
    const moved = transposeTensor(backend, { ...x, shape: blocks }, permutation)
    const shape = isLast ? [batch, height * b, width * b, depth] : [batch, depth, height * b, width * b]
    return { ...moved, shape }
  },
)

export const blockKernels: readonly TfjsKernel[] = [batchToSpaceND, spaceToBatchND, depthToSpace]
