// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import { convertElements } from '@mlcapsule/inference-kernels/program'

/** An element fits if it is off by no more than `absolute + relative × |expected|`. */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

export interface Comparison {
  /** The first thing that is off, in words; null if all fits. */
  readonly problem: string | null
  /** How far the element that is off most is from the expected one; 0 where kinds or shapes differ. */
  readonly largestDifference: number
}

/** Elements as numbers: float16 is carried as bits. */
function numbersOf({ dtype, data }: Tensor): ArrayLike<number> {
  if (dtype !== 'float16') return Array.from(data as ArrayLike<number | bigint>, Number)
  const numbers = new Float64Array(data.length)
  convertElements(data, 'float16', numbers, 'float64')
  return numbers
}

const isSame = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b))

/** Holds a tensor against what it should be: floats within the tolerance, integers exactly, NaN equal to NaN. */
export function compareTensors(actual: Tensor, expected: Tensor, tolerance: Tolerance): Comparison {
  const unlike = (problem: string): Comparison => ({ problem, largestDifference: 0 })
  if (actual.dtype !== expected.dtype) return unlike(`dtype ${actual.dtype}, expected ${expected.dtype}`)
  if (actual.shape.join() !== expected.shape.join())
    return unlike(`shape [${actual.shape}], expected [${expected.shape}]`)
  const isExact = !expected.dtype.startsWith('float')
  const { relative, absolute } = isExact ? { relative: 0, absolute: 0 } : tolerance
  let problem: string | null = null
  let largestDifference = 0
  if (isExact) {
    // Integers of 64 bits do not fit numbers.
    const at = (expected.data as Uint8Array).findIndex((it, i) => it !== actual.data[i])
    if (at < 0) return { problem, largestDifference }
    problem = `element ${at} is ${actual.data[at]}, expected ${expected.data[at]}`
  }
  const [actualNumbers, expectedNumbers] = [numbersOf(actual), numbersOf(expected)]
  for (let i = 0; i < expectedNumbers.length; i++) {
    const a = actualNumbers[i] as number
    const b = expectedNumbers[i] as number
    if (isSame(a, b)) continue
    const off = Math.abs(a - b)
    if (!(off <= largestDifference)) largestDifference = off
    if (problem === null && !(off <= absolute + relative * Math.abs(b)))
      problem = `element ${i} is ${a}, expected ${b}`
  }
  return { problem, largestDifference }
}
