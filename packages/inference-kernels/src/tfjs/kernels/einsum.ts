// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { runOperator } from '../run-operator.ts'

/** The labels of an equation as numbers: those of the operands in a row, and those of the result. */
function labelsOf(equation: string): { readonly labels: number[]; readonly output: number[] } {
  const numbers = (letters: string) => Array.from(letters.replace(/[\s,]/g, ''), (it) => it.charCodeAt(0))
  const [left = '', right = ''] = equation.split('->')
  return { labels: numbers(left), output: numbers(right) }
}

const einsum = defineKernel<readonly tf.TensorInfo[], tf.EinsumAttrs>(
  tf.Einsum,
  ({ inputs, attrs: { equation }, backend }) => {
    const tensors = Array.from(inputs)
    const { allDims, idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length)
    tf.backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as tf.Tensor[])
    return runOperator(backend, 'Einsum', tensors, labelsOf(equation))
  },
)

export const einsumKernels: readonly TfjsKernel[] = [einsum]
