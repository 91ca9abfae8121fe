// SPDX-License-Identifier: Apache-2.0
// Operators whose result has the elements of the first input under other dims.
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxes, normalAxis, product, required, result, showDims } from '../support.ts'
import { integerList, requiredList } from './lists.ts'

export const identity = defineOperator({
  name: 'Identity',
  inputCount: [1, 1],
  isAlias: true,
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    return [result(dtype, dims)]
  },
  run: () => {},
})

/** A matrix: the dims before `axis` are joined, and those from `axis` on. */
export const flatten = defineOperator({
  name: 'Flatten',
  inputCount: [1, 1],
  attributes: { axis: int(1) },
  isAlias: true,
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    const axis = attributes.axis === dims.length ? dims.length : normalAxis(attributes.axis, dims.length)
    return [result(dtype, [product(dims.slice(0, axis)), product(dims.slice(axis))])]
  },
  run: () => {},
})

/** Leaves out dims of 1: those that the second input lists, or all. */
export const squeeze = defineOperator({
  name: 'Squeeze',
  inputCount: [1, 2],
  contents: [1],
  isAlias: true,
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    const list = integerList(inputs, 1)
    if (list === null)
      return [
        result(
          dtype,
          dims.filter((dim) => dim !== 1),
        ),
      ]
    const rank = dims.length - list.count
    if (rank < 0) mismatch(`${list.count} axes of a tensor of rank ${dims.length}`)
    if (list.values === null) return [result(dtype, new Array<null>(rank).fill(null))]
    const axes = normalAxes(list.values, dims.length)
    if (axes.some((axis) => dims[axis] !== 1))
      mismatch(`axes ${showDims(axes)} of ${showDims(dims)} are not 1`)
    return [
      result(
        dtype,
        dims.filter((_, d) => !axes.includes(d)),
      ),
    ]
  },
  run: () => {},
})

/** Puts in dims of 1, at the axes of the result that the second input lists. */
export const unsqueeze = defineOperator({
  name: 'Unsqueeze',
  inputCount: [2, 2],
  contents: [1],
  isAlias: true,
  infer({ inputs }) {
    const { dtype, dims } = required(inputs, 0)
    const list = requiredList(inputs, 1)
    const rank = dims.length + list.count
    if (list.values === null) return [result(dtype, new Array<null>(rank).fill(null))]
    const axes = normalAxes(list.values, rank)
    let next = 0
    const out = Array.from({ length: rank }, (_, d) => (axes.includes(d) ? 1 : (dims[next++] as number)))
    return [result(dtype, out)]
  },
  run: () => {},
})
