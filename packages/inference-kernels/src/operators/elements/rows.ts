// SPDX-License-Identifier: Apache-2.0
import { product, repeatStrides, walk } from '../support.ts'

/** A run of elements that lie one after another in row-major order. */
export interface Row {
  readonly count: number
  /** Per operand: how far it moves from one element to the next, 0 where it repeats. */
  readonly steps: readonly number[]
}

/**
 * Goes over a box of dims in rows as long as they get: neighboring dimensions count as one where every operand moves evenly
 * through them.
 * @param strides one list per operand
 * @param visit gets the running number of the row's first element and each operand's place there
 */
export function eachRow(
  dims: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (at: number, places: readonly number[], row: Row) => void,
): void {
  if (product(dims) === 0) return
  const merged: { count: number; steps: readonly number[] }[] = []
  for (const [d, dim] of dims.entries()) {
    if (dim === 1) continue
    const steps = strides.map((list) => list[d] as number)
    const outer = merged.at(-1)
    if (outer?.steps.every((step, i) => step === (steps[i] as number) * dim)) {
      merged[merged.length - 1] = { count: outer.count * dim, steps }
    } else merged.push({ count: dim, steps })
  }
  const row = merged.pop() ?? { count: 1, steps: strides.map(() => 0) }
  const outerStrides = strides.map((_, i) => merged.map(({ steps }) => steps[i] as number))
  walk(
    merged.map(({ count }) => count),
    outerStrides,
    (index, places) => visit(index * row.count, places, row),
  )
}

/** As `eachRow`, of operands broadcast to the dims. */
export function eachBroadcastRow(
  dims: readonly number[],
  operands: readonly { readonly dims: readonly number[] }[],
  visit: (at: number, places: readonly number[], row: Row) => void,
): void {
  eachRow(
    dims,
    operands.map((it) => repeatStrides(it.dims, dims)),
    visit,
  )
}
