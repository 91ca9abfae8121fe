// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import type { TfOp } from './op.ts'

/** An element of a list of sizes or indices: known, or a list of one int64. */
export type Element = number | Value

/** Up to the end of a dimension, whatever its size. */
export const toEnd = 2 ** 31 - 1

/** Elements of a list of integers, as far as they are known. */
export function elementsOf(op: TfOp, list: Value): readonly Element[] {
  if (list.dims.length !== 1) op.mismatch('a list of integers has one dimension')
  const count = op.size(list, 0)
  const known = op.known(list)
  const integers = known?.every((it) => typeof it === 'number') ? null : op.indexList(list)
  return Array.from({ length: count }, (_, i): Element => {
    const element = known?.[i]
    if (typeof element === 'number') return op.integer(element, 'an element of a list')
    return op.call('Slice', [integers, op.integers([i]), op.integers([i + 1])])
  })
}

/** A list of int64 of its elements. */
export function listOf(op: TfOp, elements: readonly Element[]): Value {
  const numbers = elements.filter((it) => typeof it === 'number')
  if (numbers.length === elements.length) return op.integers(numbers)
  const parts = elements.map((it) => (typeof it === 'number' ? op.integers([it]) : it))
  return op.call('Concat', parts, { axis: 0 })
}

export function sum(op: TfOp, a: Element, b: Element): Element {
  if (typeof a === 'number' && typeof b === 'number') return a + b
  return op.call('Add', [listOf(op, [a]), listOf(op, [b])])
}

/** `a` where `value` is `match`, else `b`. */
export function whereEqual(op: TfOp, value: Element, match: number, a: Element, b: Element): Element {
  if (typeof value === 'number') return value === match ? a : b
  const isEqual = op.call('Equal', [value, op.integers([match])])
  return op.call('Where', [isEqual, listOf(op, [a]), listOf(op, [b])])
}
