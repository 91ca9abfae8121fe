// SPDX-License-Identifier: Apache-2.0
// Kernels that cut boxes out of tensors and put them together.
import * as tf from '@tensorflow/tfjs-core'
import {
  concatTensors,
  copyBox,
  fillTensor,
  rowStrides,
  sliceTensor,
  transposeTensor,
  wholeOf,
} from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

const transpose = defineKernel<tf.TransposeInputs, tf.TransposeAttrs>(
  tf.Transpose,
  ({ inputs: { x }, attrs: { perm }, backend }) => transposeTensor(backend, x, perm),
)

const slice = defineKernel<tf.SliceInputs, tf.SliceAttrs>(tf.Slice, ({ inputs: { x }, attrs, backend }) => {
  const [begin = [], size = []] = tf.slice_util.parseSliceParams(x, attrs.begin, attrs.size)
  tf.slice_util.assertParamsValid(x, begin, size)
  return sliceTensor(backend, x, begin, size)
})

const stridedSlice = defineKernel<tf.StridedSliceInputs, tf.StridedSliceAttrs>(
  tf.StridedSlice,
  ({ inputs: { x }, attrs, backend }) => {
    const { finalShape, begin, end, strides } = tf.slice_util.sliceInfo(
      x.shape,
      attrs.begin,
      attrs.end,
      attrs.strides,
      attrs.beginMask,
      attrs.endMask,
      attrs.ellipsisMask,
      attrs.newAxisMask,
      attrs.shrinkAxisMask,
    )
    const dims = tf.slice_util.computeOutShape(begin, end, strides)
    const own = rowStrides(x.shape)
    const made = backend.make(finalShape, x.dtype)
    const start = begin.reduce((at, index, d) => at + index * (own[d] as number), 0)
    const steps = strides.map((step, d) => step * (own[d] as number))
    const to = { tensor: made, start: 0, strides: rowStrides(dims) }
    copyBox(backend, dims, { tensor: x, start, strides: steps }, to)
    return made
  },
)

const concat = defineKernel<readonly tf.TensorInfo[], tf.ConcatAttrs>(
  tf.Concat,
  ({ inputs, attrs: { axis: given }, backend }) => {
    const tensors = Array.from(inputs)
    const [axis = 0] = tf.util.parseAxisParam(given, tensors[0]?.shape ?? [])
    const shapes = tensors.map(({ shape }) => shape)
    tf.backend_util.assertParamsConsistent(shapes, axis)
    const filled = tensors.filter(({ shape }) => tf.util.sizeFromShape(shape) > 0)
    const only = filled[0]
    if (filled.length === 1 && only !== undefined) return backend.share(only, only.shape)
    return filled.length === 0
      ? backend.make(tf.backend_util.computeOutShape(shapes, axis), tensors[0]?.dtype ?? 'float32')
      : concatTensors(backend, filled, axis)
  },
)

const pack = defineKernel<readonly tf.TensorInfo[], tf.PackAttrs>(
  tf.Pack,
  ({ inputs, attrs: { axis: given }, backend }) => {
    const tensors = Array.from(inputs)
    const shape = tensors[0]?.shape ?? []
    for (const tensor of tensors) {
      tf.util.assertShapesMatch(shape, tensor.shape, 'All tensors passed to stack must have matching shapes')
      if (tensor.dtype !== tensors[0]?.dtype) {
        throw new TypeError('All tensors passed to stack must have matching dtypes')
      }
    }
    const axis = given < 0 ? given + shape.length + 1 : given
    const wide = tensors.map((it) => ({ ...it, shape: [...shape.slice(0, axis), 1, ...shape.slice(axis)] }))
    return concatTensors(backend, wide, axis)
  },
)

const unpack = defineKernel<tf.UnpackInputs, tf.UnpackAttrs>(
  tf.Unpack,
  ({ inputs: { value }, attrs, backend }) => {
    const { shape } = value
    const axis = attrs.axis < 0 ? attrs.axis + shape.length : attrs.axis
    const size = shape.map((dim, d) => (d === axis ? 1 : dim))
    const narrow = shape.filter((_, d) => d !== axis)
    return Array.from({ length: shape[axis] ?? 0 }, (_, i) => {
      const begin = shape.map((_, d) => (d === axis ? i : 0))
      return { ...sliceTensor(backend, value, begin, size), shape: narrow }
    })
  },
)

const splitV = defineKernel<tf.SplitVInputs, tf.SplitVAttrs>(
  tf.SplitV,
  ({ inputs: { x }, attrs: { numOrSizeSplits, axis: given }, backend }) => {
    const [axis = 0] = tf.util.parseAxisParam(given, x.shape)
    const sizes = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, axis)
    let at = 0
    return sizes.map((size) => {
      const begin = x.shape.map((_, d) => (d === axis ? at : 0))
      at += size
      return sliceTensor(
        backend,
        x,
        begin,
        x.shape.map((dim, d) => (d === axis ? size : dim)),
      )
    })
  },
)

const reverse = defineKernel<tf.ReverseInputs, tf.ReverseAttrs>(
  tf.Reverse,
  ({ inputs: { x }, attrs: { dims }, backend }) => {
    const axes = tf.util.parseAxisParam(dims, x.shape)
    const own = rowStrides(x.shape)
    const start = axes.reduce((at, d) => at + ((x.shape[d] as number) - 1) * (own[d] as number), 0)
    const strides = own.map((stride, d) => (axes.includes(d) ? -stride : stride))
    const made = backend.make(x.shape, x.dtype)
    copyBox(backend, x.shape, { tensor: x, start, strides }, wholeOf(made))
    return made
  },
)

const padV2 = defineKernel<tf.PadV2Inputs, tf.PadV2Attrs>(
  tf.PadV2,
  ({ inputs: { x }, attrs: { paddings, constantValue }, backend }) => {
    const made = backend.make(
      x.shape.map((dim, d) => dim + (paddings[d]?.[0] ?? 0) + (paddings[d]?.[1] ?? 0)),
      x.dtype,
    )
    fillTensor(backend, made, constantValue)
    const strides = rowStrides(made.shape)
    const start = paddings.reduce((at, [before], d) => at + before * (strides[d] as number), 0)
    copyBox(backend, x.shape, wholeOf(x), { tensor: made, start, strides })
    return made
  },
)

export const boxKernels: readonly TfjsKernel[] = [
  transpose,
  slice,
  stridedSlice,
  concat,
  pack,
  unpack,
  splitV,
  reverse,
  padV2,
]
