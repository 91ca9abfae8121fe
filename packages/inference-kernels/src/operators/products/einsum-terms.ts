// SPDX-License-Identifier: Apache-2.0
import { unsupported } from '../fault.ts'
import type { Operand } from '../operator.ts'
import { isBigInt, product, walk } from '../support.ts'
import type { Contraction } from './contraction.ts'

/** Labels multiply: a small model could otherwise ask for endless work. */
const termCount = 2 ** 32

/** A contraction term by term: any number of operands, any dtype. @throws OperatorFault beyond 2^32 terms */
export function contractAll(
  { sizes, strides, output, summed }: Contraction,
  operands: readonly Operand[],
  out: Operand,
): void {
  if (product([...sizes.values()]) > termCount) unsupported('it multiplies too many terms')
  const dimsOf = (labels: readonly number[]) => labels.map((label) => sizes.get(label) as number)
  const stepsOf = (labels: readonly number[]) =>
    strides.map((own) => labels.map((label) => own.get(label) ?? 0))
  const summedDims = dimsOf(summed)
  const summedSteps = stepsOf(summed)
  const add = adderOf(out, operands)
  walk(dimsOf(output), stepsOf(output), (at, outer) => {
    add.start()
    walk(summedDims, summedSteps, (_, inner) => add.term(outer, inner))
    add.store(at)
  })
}

interface Adder {
  start(): void
  /** Adds the product of the elements at the sums of two lists of places. */
  term(outer: readonly number[], inner: readonly number[]): void
  store(at: number): void
}

function adderOf({ dtype, data: out }: Operand, operands: readonly Operand[]): Adder {
  if (isBigInt(dtype)) {
    const data = operands.map((it) => it.data as BigInt64Array)
    let sum = 0n
    return {
      start: () => {
        sum = 0n
      },
      term: (outer, inner) => {
        let term = 1n
        for (let i = 0; i < data.length; i++) {
          term *= data[i]?.[(outer[i] as number) + (inner[i] as number)] as bigint
        }
        sum += term
      },
      store: (at) => {
        ;(out as BigInt64Array)[at] = sum
      },
    }
  }
  const data = operands.map((it) => it.data as Float32Array)
  const isFloat = dtype === 'float32'
  let sum = 0
  return {
    start: () => {
      sum = 0
    },
    term: (outer, inner) => {
      let term = 1
      for (let i = 0; i < data.length; i++) {
        const factor = data[i]?.[(outer[i] as number) + (inner[i] as number)] as number
        term = isFloat ? term * factor : Math.imul(term, factor)
      }
      sum = isFloat ? sum + term : (sum + term) | 0
    },
    store: (at) => {
      ;(out as Float32Array)[at] = sum
    },
  }
}
