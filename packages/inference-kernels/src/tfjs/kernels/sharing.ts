// SPDX-License-Identifier: Apache-2.0
// Kernels whose result is the data of their operand, and the two that take complex tensors apart.
import * as tf from '@tensorflow/tfjs-core'
import type { MlcapsuleBackend } from '../backend.ts'
import { castTensor } from '../cast.ts'
import { copyBox, wholeOf } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

/** A tensor of its own with the same elements. */
function cloneTensor(backend: MlcapsuleBackend, x: tf.TensorInfo): tf.TensorInfo {
  const made = backend.make(x.shape, x.dtype)
  copyBox(backend, x.shape, wholeOf(x), wholeOf(made))
  return made
}

const reshape = defineKernel<tf.ReshapeInputs, tf.ReshapeAttrs>(
  tf.Reshape,
  ({ inputs: { x }, attrs, backend }) => {
    const count = tf.util.sizeFromShape(x.shape)
    const shape = tf.util.inferFromImplicitShape(attrs.shape, count)
    if (tf.util.sizeFromShape(shape) !== count) {
      throw new RangeError(
        `The new shape (${shape}) and the old shape (${x.shape}) do not have as many elements`,
      )
    }
    return backend.share(x, shape)
  },
)

const expandDims = defineKernel<tf.ExpandDimsInputs, tf.ExpandDimsAttrs>(
  tf.ExpandDims,
  ({ inputs: { input }, attrs: { dim }, backend }) => {
    const rank = input.shape.length
    if (dim < -(rank + 1) || dim > rank) throw new RangeError(`Axis must be in [${-(rank + 1)}, ${rank}]`)
    const shape = [...input.shape]
    shape.splice(dim < 0 ? dim + rank + 1 : dim, 0, 1)
    return backend.share(input, shape)
  },
)

/** A part of a complex tensor: float32, and nobody else's. */
const ownFloats = (backend: MlcapsuleBackend, x: tf.TensorInfo): tf.TensorInfo =>
  x.dtype === 'float32' ? cloneTensor(backend, x) : castTensor(backend, x, 'float32')

export const sharingKernels: readonly TfjsKernel[] = [
  defineKernel<tf.IdentityInputs>(tf.Identity, ({ inputs: { x }, backend }) => backend.share(x, x.shape)),
  reshape,
  expandDims,
  defineKernel<tf.CastInputs, tf.CastAttrs>(tf.Cast, ({ inputs: { x }, attrs: { dtype }, backend }) =>
    castTensor(backend, x, dtype),
  ),
  defineKernel<tf.ComplexInputs>(tf.Complex, ({ inputs: { real, imag }, backend }) =>
    backend.makeComplex(ownFloats(backend, real), ownFloats(backend, imag)),
  ),
  defineKernel<tf.RealInputs>(tf.Real, ({ inputs: { input }, backend }) =>
    cloneTensor(backend, backend.parts(input)[0]),
  ),
  defineKernel<tf.ImagInputs>(tf.Imag, ({ inputs: { input }, backend }) =>
    cloneTensor(backend, backend.parts(input)[1]),
  ),
]
