// SPDX-License-Identifier: Apache-2.0
import type { Operand } from '../operator.ts'
import { numericDtypes } from '../support.ts'
import { convertElements } from './convert.ts'
import { elementsOf } from './elements.ts'
import { defineReduce } from './reduce.ts'
import { reducedStrides } from './reduction-shape.ts'
import { eachRow } from './rows.ts'

/** Logarithm of the sum of exponentials. The greatest element is taken out beforehand, so that nothing overflows. */
function logSumExp(out: Operand, x: Operand, axes: readonly number[]): void {
  const elements = elementsOf(x)
  const strides = [reducedStrides(x.dims, axes)]
  const greatest = new Float64Array(out.data.length).fill(Number.NEGATIVE_INFINITY)
  eachRow(x.dims, strides, (at, [place = 0], { count, steps: [step = 0] }) => {
    for (let n = 0; n < count; n++) {
      const to = place + n * step
      greatest[to] = Math.max(greatest[to] as number, Number(elements[at + n]))
    }
  })
  // An infinity stays as it is: less itself it would be NaN.
  const shifts = greatest.map((it) => (Number.isFinite(it) ? it : 0))
  const sums = new Float64Array(out.data.length)
  eachRow(x.dims, strides, (at, [place = 0], { count, steps: [step = 0] }) => {
    for (let n = 0; n < count; n++) {
      const to = place + n * step
      sums[to] = (sums[to] as number) + Math.exp(Number(elements[at + n]) - (shifts[to] as number))
    }
  })
  for (let i = 0; i < sums.length; i++) sums[i] = Math.log(sums[i] as number) + (shifts[i] as number)
  convertElements(sums, 'float64', out.data, out.dtype)
}

export const reduceLogSumExp = defineReduce({
  name: 'ReduceLogSumExp',
  dtypes: numericDtypes,
  isNoopPlain: true,
  run: logSumExp,
})
