// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { elementsOf } from './gathering.ts'

/** A condition of rank 1 chooses whole rows of operands of a higher rank. */
const select = defineKernel<tf.SelectInputs>(tf.Select, ({ inputs: { condition, t, e }, backend }) => {
  const made = backend.make(t.shape, tf.upcastType(t.dtype, e.dtype))
  const chosen = backend.numbers(condition)
  const [yes, no, to] = [t, e, made].map((it) => elementsOf(backend, it)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const size = chosen.length === 0 ? 0 : to.length / chosen.length
  for (let n = 0; n < chosen.length; n++) {
    const from = chosen[n] !== 0 ? yes : no
    for (let i = n * size; i < (n + 1) * size; i++) to[i] = from[i] as number
  }
  return made
})

export const selectKernels: readonly TfjsKernel[] = [select]
