// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { badValue } from '../fault.ts'
import type { Operand, Operator } from '../operator.ts'
import { computedDtypes, isBigInt, numericDtypes, product } from '../support.ts'
import { big, type Combine } from './binary.ts'
import { convertElements } from './convert.ts'
import { elementsOf, kindFor, type NumberKinds } from './elements.ts'
import { rangeOf } from './integer-range.ts'
import { defineReduce } from './reduce.ts'
import { reducedStrides } from './reduction-shape.ts'
import { eachRow } from './rows.ts'

/** How a total grows by an element, and what becomes of it. */
interface Reduction {
  readonly start: number | ((dtype: DType) => number | bigint)
  readonly grow: NumberKinds<Combine>
  /** Whether 64-bit integers are totaled as doubles. */
  readonly isInDoubles?: boolean
  readonly finish?: (total: number, count: number) => number
}

/** BigInts for 64-bit integers, typed as for numbers. */
type Totals = Float32Array | Float64Array | number[]

function growRow(
  totals: Totals,
  place: number,
  step: number,
  x: Float32Array,
  at: number,
  count: number,
  grow: Combine,
): void {
  if (step === 0) {
    let total = totals[place] as number
    for (let n = 0; n < count; n++) total = grow(total, x[at + n] as number)
    totals[place] = total
  } else {
    for (let n = 0; n < count; n++) totals[place + n] = grow(totals[place + n] as number, x[at + n] as number)
  }
}

/** Totals of the elements that each element of the result stands for. */
function growTotals(totals: Totals, x: Operand, axes: readonly number[], grow: Combine): void {
  eachRow(x.dims, [reducedStrides(x.dims, axes)], (at, places, { count, steps }) =>
    growRow(totals, places[0] as number, steps[0] as number, elementsOf(x), at, count, grow),
  )
}

function reduce(out: Operand, x: Operand, axes: readonly number[], it: Reduction): void {
  const { dtype } = x
  const isExact = isBigInt(dtype) && it.isInDoubles !== true
  const start = typeof it.start === 'function' ? it.start(dtype) : isExact ? BigInt(it.start) : it.start
  // A total that is divided in the end must not wrap before.
  const isWrapped = isExact && it.finish === undefined
  const resultCount = out.data.length
  const totals: Totals = isWrapped
    ? elementsOf(out)
    : isExact
      ? new Array<number>(resultCount)
      : new Float64Array(resultCount)
  totals.fill(start as number)
  const grow = kindFor(it.grow, dtype)
  growTotals(totals, x, axes, grow)
  if (it.finish !== undefined) {
    const count = product(axes.map((axis) => x.dims[axis] as number))
    for (let i = 0; i < totals.length; i++) totals[i] = it.finish(totals[i] as number, count)
  }
  if (!isExact) convertElements(totals as Float64Array, 'float64', out.data, dtype)
  else if (!isWrapped) out.data.set(totals as never)
}

const define = (
  name: string,
  reduction: Reduction,
  dtypes: readonly DType[] = numericDtypes,
  isNoopPlain = true,
) => defineReduce({ name, dtypes, isNoopPlain, run: (out, x, axes) => reduce(out, x, axes, reduction) })

// Integers of 32 bits or less are kept to 32 as they grow, so that no bit is lost to rounding.
const sum: NumberKinds<Combine> = {
  float: (total, x) => total + x,
  integer: (total, x) => (total + x) | 0,
  bigint: big((total, x) => total + x),
}
const sumInDoubles = (map: (x: number) => number): NumberKinds<Combine> => {
  const grow: Combine = (total, x) => total + map(Number(x))
  return { float: grow, integer: grow, bigint: grow }
}
const least = (dtype: DType) => rangeOf(dtype)[0]
const most = (dtype: DType) => rangeOf(dtype)[1]
const square = (x: number) => x * x

function mean(total: number | bigint, count: number, dtype: DType): number {
  if (dtype !== 'float32' && count === 0) badValue('the mean of no integers')
  return (typeof total === 'bigint' ? total / BigInt(count) : total / count) as number
}

const reduceMean = defineReduce({
  name: 'ReduceMean',
  dtypes: numericDtypes,
  isNoopPlain: true,
  run: (out, x, axes) =>
    reduce(out, x, axes, {
      start: 0,
      grow: { float: sum.float, integer: sum.float, bigint: sum.bigint },
      finish: (total, count) => mean(total, count, x.dtype),
    }),
})

/** Reductions that grow one total per element of the result. */
export const reductionOperators: readonly Operator[] = [
  define('ReduceSum', { start: 0, grow: sum }),
  reduceMean,
  define(
    'ReduceMax',
    { start: least, grow: { float: Math.max, integer: Math.max, bigint: big((a, b) => (b > a ? b : a)) } },
    computedDtypes,
  ),
  define(
    'ReduceMin',
    { start: most, grow: { float: Math.min, integer: Math.min, bigint: big((a, b) => (b < a ? b : a)) } },
    computedDtypes,
  ),
  define('ReduceProd', {
    start: 1,
    grow: {
      float: (total, x) => total * x,
      integer: Math.imul,
      bigint: big((total, x) => BigInt.asIntN(64, total * x)),
    },
  }),
  define(
    'ReduceL1',
    {
      start: 0,
      grow: {
        float: (total, x) => total + Math.abs(x),
        integer: (total, x) => (total + Math.abs(x)) | 0,
        bigint: big((total, x) => total + (x < 0n ? -x : x)),
      },
    },
    numericDtypes,
    false,
  ),
  define(
    'ReduceSumSquare',
    {
      start: 0,
      grow: {
        float: (total, x) => total + x * x,
        integer: (total, x) => (total + Math.imul(x, x)) | 0,
        bigint: big((total, x) => total + x * x),
      },
    },
    numericDtypes,
    false,
  ),
  define(
    'ReduceL2',
    { start: 0, grow: sumInDoubles(square), isInDoubles: true, finish: Math.sqrt },
    numericDtypes,
    false,
  ),
  define(
    'ReduceLogSum',
    { start: 0, grow: sumInDoubles((x) => x), isInDoubles: true, finish: Math.log },
    numericDtypes,
    false,
  ),
]
