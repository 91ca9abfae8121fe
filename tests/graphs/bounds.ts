// SPDX-License-Identifier: Apache-2.0
// How far right implementations of one operator may be apart. An operator's result is off by no more than its gain times
// what its input was off by, plus the rounding that is stated here, in units of float32 epsilon at the largest magnitude that
// the result can have. Sums, products, maxima and all that moves elements need no line: estimate.ts derives them from
// IEEE arithmetic, and demands equality where all intermediate results fit 24 bits.
import { type Estimate, epsilon, magnitude, roughly } from './estimate.ts'

interface FunctionBound {
  /** Where the operator is tried: elements in [low, high]. */
  readonly domain: readonly [low: number, high: number]
  readonly range: (low: number, high: number) => readonly [low: number, high: number]
  /** The steepest slope on [low, high]. */
  readonly gain: (low: number, high: number) => number
  /** Error of the function itself, in epsilons. */
  readonly rounding: number
  readonly since?: number
}

type Curve = (x: number) => number

const rising = (f: Curve) => (low: number, high: number) => [f(low), f(high)] as const
const falling = (f: Curve) => (low: number, high: number) => [f(high), f(low)] as const
const within = (low: number, high: number) => () => [low, high] as const
const slope = (value: number) => () => value

const sigmoid: Curve = (x) => 1 / (1 + Math.exp(-x))
const softplus: Curve = (x) => Math.log1p(Math.exp(x))
const anywhere = [-30, 30] as const

/** Functions of one float, with their attributes at ONNX's defaults. */
export const functionBounds: Readonly<Record<string, FunctionBound>> = {
  Acos: { domain: [-0.9, 0.9], range: falling(Math.acos), gain: slope(2.5), rounding: 16 },
  Acosh: { domain: [1.25, 30], range: rising(Math.acosh), gain: slope(1.5), rounding: 16, since: 9 },
  Asin: { domain: [-0.9, 0.9], range: rising(Math.asin), gain: slope(2.5), rounding: 16 },
  Asinh: { domain: anywhere, range: rising(Math.asinh), gain: slope(1), rounding: 16, since: 9 },
  Atan: { domain: anywhere, range: rising(Math.atan), gain: slope(1), rounding: 16 },
  Atanh: { domain: [-0.9, 0.9], range: rising(Math.atanh), gain: slope(6), rounding: 16, since: 9 },
  Celu: { domain: [-8, 30], range: within(-1, 30), gain: slope(1), rounding: 16, since: 12 },
  Cos: { domain: anywhere, range: within(-1, 1), gain: slope(1), rounding: 16 },
  Cosh: { domain: [-6, 6], range: within(1, 202), gain: slope(202), rounding: 16, since: 9 },
  Elu: { domain: [-8, 30], range: within(-1, 30), gain: slope(1), rounding: 16 },
  Erf: { domain: anywhere, range: within(-1, 1), gain: slope(1.13), rounding: 32, since: 9 },
  Exp: { domain: [-20, 6], range: rising(Math.exp), gain: (_, high) => Math.exp(high), rounding: 16 },
  Gelu: { domain: anywhere, range: within(-0.2, 30), gain: slope(1.2), rounding: 32, since: 20 },
  HardSigmoid: { domain: anywhere, range: within(0, 1), gain: slope(0.2), rounding: 4 },
  HardSwish: { domain: anywhere, range: within(-0.4, 30), gain: slope(1.6), rounding: 8, since: 14 },
  Log: { domain: [0.1, 1e4], range: rising(Math.log), gain: (low) => 1 / low, rounding: 16 },
  Mish: { domain: anywhere, range: within(-0.4, 30), gain: slope(1.2), rounding: 32, since: 18 },
  Reciprocal: { domain: [0.1, 1e4], range: falling((x) => 1 / x), gain: (low) => 1 / low ** 2, rounding: 4 },
  Selu: { domain: [-8, 30], range: within(-1.76, 32), gain: slope(1.76), rounding: 16 },
  Sigmoid: { domain: anywhere, range: rising(sigmoid), gain: slope(0.25), rounding: 32 },
  Sin: { domain: anywhere, range: within(-1, 1), gain: slope(1), rounding: 16 },
  Sinh: { domain: [-6, 6], range: rising(Math.sinh), gain: slope(202), rounding: 16, since: 9 },
  Softplus: { domain: anywhere, range: rising(softplus), gain: slope(1), rounding: 32 },
  Softsign: { domain: anywhere, range: within(-1, 1), gain: slope(1), rounding: 8 },
  Sqrt: { domain: [0.1, 1e5], range: rising(Math.sqrt), gain: (low) => 0.5 / Math.sqrt(low), rounding: 4 },
  Swish: { domain: anywhere, range: within(-0.3, 30), gain: slope(1.1), rounding: 32, since: 24 },
  Tan: { domain: [-1.25, 1.25], range: rising(Math.tan), gain: slope(10.1), rounding: 16 },
  Tanh: { domain: anywhere, range: within(-1, 1), gain: slope(1), rounding: 32 },
}

/** The result of a function of the table; null where its domain does not hold the operand. */
export function functionEstimate(name: string, x: Estimate): Estimate | null {
  const { domain, range, gain, rounding } = functionBounds[name] as FunctionBound
  const [low, high] = [x.low - x.error, x.high + x.error]
  if (low < domain[0] || high > domain[1]) return null
  const [from, to] = range(low, high)
  const result = roughly(from, to, x.error * gain(low, high))
  return { ...result, error: result.error + rounding * epsilon * Math.max(magnitude(result), 2 ** -8) }
}

/** Softmax: probabilities, off by at most twice what the operand is off by. */
export const softmaxEstimate = (x: Estimate): Estimate => roughly(0, 1, 2 * x.error + 32 * epsilon)

export function logSoftmaxEstimate(x: Estimate, count: number): Estimate {
  const most = x.high - x.low + Math.log(count)
  return roughly(-most, 0, 2 * x.error + 32 * epsilon * Math.max(1, most, magnitude(x)))
}

/** log Σ exp over `count` elements. */
export function logSumExpEstimate(x: Estimate, count: number): Estimate {
  const result = roughly(x.low, x.high + Math.log(count), x.error)
  return { ...result, error: result.error + 32 * epsilon * Math.max(1, magnitude(result)) }
}

/** The Euclidean length of `count` elements: a sum of squares may cancel nothing, so its root is as good as its operand. */
export function lengthEstimate(x: Estimate, count: number): Estimate {
  const most = magnitude(x) * Math.sqrt(count)
  return roughly(0, most, x.error * Math.sqrt(count) + (count + 4) * epsilon * most)
}

/**
 * (x - mean) / √(variance + `stabilizer`) over `count` elements. The variance may have been taken as a difference of two
 * squares: it is off by some epsilons of the largest square.
 */
export function normalizedEstimate(x: Estimate, count: number, stabilizer: number): Estimate {
  const most = Math.sqrt(count)
  const carried = (2 * x.error * (1 + most)) / Math.sqrt(stabilizer)
  const own = most * epsilon * (16 + (4 * count * magnitude(x) ** 2) / stabilizer)
  return roughly(-most, most, carried + own)
}

/** Cells of recurrent layers, on exact operands: states in [-1, 1], off by some epsilons per step that they are carried on. */
export const recurrentEstimate = (stepCount: number): Estimate => roughly(-1, 1, 256 * epsilon * stepCount)
