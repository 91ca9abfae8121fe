// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import type { TensorType } from '../operator.ts'
import { rowMajorStrides, showDims } from '../support.ts'

/** Labels of all dimensions, and where each operand has them. */
export interface Contraction {
  readonly sizes: ReadonlyMap<number, number>
  /** Elements from one index of a label to the next in each operand; 0 where it has no such label, or repeats. */
  readonly strides: readonly ReadonlyMap<number, number>[]
  readonly output: readonly number[]
  readonly summed: readonly number[]
}

export function contractionOf(
  operands: readonly TensorType[],
  labels: readonly number[],
  output: readonly number[],
): Contraction {
  const sizes = new Map<number, number>()
  let at = 0
  const named = operands.map(({ dims }) => {
    const own = labels.slice(at, at + dims.length)
    at += dims.length
    return { dims, own }
  })
  if (at !== labels.length) mismatch(`${labels.length} labels for ${at} dimensions`)
  for (const { dims, own } of named) {
    for (const [d, label] of own.entries()) {
      const dim = dims[d] as number
      const size = sizes.get(label) ?? 1
      if (size !== dim && size !== 1 && dim !== 1) mismatch(`a label stands for ${size} and for ${dim}`)
      sizes.set(label, size === 1 ? dim : size)
    }
  }
  const strides = named.map(({ dims, own }) => {
    const steps = rowMajorStrides(dims)
    const byLabel = new Map<number, number>()
    for (const [d, label] of own.entries()) {
      const step = dims[d] === 1 ? 0 : (steps[d] as number)
      byLabel.set(label, (byLabel.get(label) ?? 0) + step)
    }
    return byLabel
  })
  const isOutput = new Set(output)
  if (isOutput.size !== output.length || output.some((label) => !sizes.has(label)))
    mismatch(`labels ${showDims(output)} of the result repeat, or are in no operand`)
  const summed = [...sizes.keys()].filter((label) => !isOutput.has(label))
  return { sizes, strides, output, summed }
}
