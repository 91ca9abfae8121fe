// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { defineOperator, type Operator } from '../operator.ts'
import { normalAxis, requireDtype, required, result } from '../support.ts'
import { axisBox } from './axis-box.ts'
import { elementsOf, writable } from './elements.ts'

/** Writes the result for `count` elements, `step` apart. */
type AlongAxis = (out: Float32Array, x: Float32Array, first: number, step: number, count: number) => void

function greatestOf(x: Float32Array, first: number, step: number, count: number): number {
  let greatest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) greatest = Math.max(greatest, x[first + i * step] as number)
  return greatest
}

function sumOfExponentials(
  x: Float32Array,
  first: number,
  step: number,
  count: number,
  shift: number,
): number {
  let sum = 0
  for (let i = 0; i < count; i++) sum += Math.exp((x[first + i * step] as number) - shift)
  return sum
}

const softmax: AlongAxis = (out, x, first, step, count) => {
  const shift = greatestOf(x, first, step, count)
  const sum = sumOfExponentials(x, first, step, count, shift)
  for (let at = first, i = 0; i < count; i++, at += step) out[at] = Math.exp((x[at] as number) - shift) / sum
}

const logSoftmax: AlongAxis = (out, x, first, step, count) => {
  const shift = greatestOf(x, first, step, count)
  const logSum = Math.log(sumOfExponentials(x, first, step, count, shift))
  for (let at = first, i = 0; i < count; i++, at += step) out[at] = (x[at] as number) - shift - logSum
}

/** 1 at the first of the greatest elements, 0 elsewhere. */
const hardmax: AlongAxis = (out, x, first, step, count) => {
  let best = first
  for (let at = first, i = 0; i < count; i++, at += step) {
    if ((x[at] as number) > (x[best] as number)) best = at
    out[at] = 0
  }
  out[best] = 1
}

const defineAlongAxis = (name: string, apply: AlongAxis): Operator =>
  defineOperator({
    name,
    inputCount: [1, 1],
    attributes: { axis: int(-1) },
    infer({ inputs, attributes: { axis } }) {
      const { dtype, dims } = required(inputs, 0)
      requireDtype(dtype, ['float32'])
      normalAxis(axis, dims.length)
      return [result(dtype, dims)]
    },
    run({ inputs, outputs, attributes: { axis } }) {
      const x = required(inputs, 0)
      const { outerCount, axisCount, innerCount } = axisBox(x.dims, normalAxis(axis, x.dims.length))
      if (axisCount === 0) return
      for (let outer = 0; outer < outerCount; outer++) {
        for (let inner = 0; inner < innerCount; inner++) {
          const first = outer * axisCount * innerCount + inner
          apply(writable(outputs), elementsOf(x), first, innerCount, axisCount)
        }
      }
    },
  })

/** Functions that turn the elements along an axis into weights. */
export const softmaxOperators: readonly Operator[] = [
  defineAlongAxis('Softmax', softmax),
  defineAlongAxis('LogSoftmax', logSoftmax),
  defineAlongAxis('Hardmax', hardmax),
]
