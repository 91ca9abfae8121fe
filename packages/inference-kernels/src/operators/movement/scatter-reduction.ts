// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { oneOf } from '../attributes.ts'
import { computedDtypes, numericDtypes, requireDtype } from '../support.ts'

/** What becomes of an element to which another one is written. */
export const scatterReduction = oneOf(['none', 'add', 'mul', 'min', 'max'])
export type ScatterReduction = (typeof scatterReduction.members)[number]

type Combine = (old: number, update: number) => number

/** JavaScript's operators mean the same for numbers and big integers, as long as both sides are of one kind. */
const combines: Readonly<Record<ScatterReduction, Combine>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  // biome-ignore lint/suspicious/noSelfCompare: tells NaN, also where elements are big integers
  min: (old, update) => (old < update || old !== old ? old : update),
  // biome-ignore lint/suspicious/noSelfCompare: as above
  max: (old, update) => (old > update || old !== old ? old : update),
}

/** How elements of a dtype are joined. */
export function combineOf(reduction: ScatterReduction, dtype: DType): Combine {
  const isArithmetic = reduction === 'add' || reduction === 'mul'
  if (reduction !== 'none') requireDtype(dtype, isArithmetic ? numericDtypes : computedDtypes)
  // Products of 32-bit integers need more bits than a number has; their low bits are wanted.
  if (reduction === 'mul' && (dtype === 'int32' || dtype === 'uint32')) return Math.imul
  return combines[reduction]
}
