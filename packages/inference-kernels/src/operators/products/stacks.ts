// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { broadcastAll, repeatStrides, showDims, walk } from '../support.ts'

/** A product of two stacks of matrices. */
export interface StackedProduct {
  readonly dims: readonly number[]
  readonly sizes: readonly [rows: number, inner: number, columns: number]
  /** Dims of the stack of results. */
  readonly stack: readonly number[]
  readonly a: readonly number[]
  readonly b: readonly number[]
}

/**
 * How MatMul pairs two tensors: the last two dimensions are matrices, those before them broadcast. A vector is a row on the
 * left and a column on the right, and its dimension of 1 is not in the result.
 */
export function pairStacks(aDims: readonly number[], bDims: readonly number[]): StackedProduct {
  if (aDims.length === 0 || bDims.length === 0) mismatch('an operand is a scalar')
  const a = aDims.length === 1 ? [1, ...aDims] : aDims
  const b = bDims.length === 1 ? [...bDims, 1] : bDims
  const [rows, inner] = a.slice(-2) as [number, number]
  const [inner2, columns] = b.slice(-2) as [number, number]
  if (inner !== inner2) mismatch(`${showDims(aDims)} times ${showDims(bDims)}`)
  const stackA = a.slice(0, -2)
  const stackB = b.slice(0, -2)
  const stack = broadcastAll([stackA, stackB])
  const tail = [...(aDims.length === 1 ? [] : [rows]), ...(bDims.length === 1 ? [] : [columns])]
  return { dims: [...stack, ...tail], sizes: [rows, inner, columns], stack, a: stackA, b: stackB }
}

/** Calls `each` for every pair of matrices with their number in A's, in B's and in the result's stack. */
export function forEachPair(
  { stack, a, b }: StackedProduct,
  each: (a: number, b: number, out: number) => void,
): void {
  walk(stack, [repeatStrides(a, stack), repeatStrides(b, stack)], (at, places) =>
    each(places[0] as number, places[1] as number, at),
  )
}
