// SPDX-License-Identifier: Apache-2.0

/**
 * What is known of all elements of a value before anything has run: they lie in [low, high], two right implementations may
 * each be off by `error`, and, where `grid` is a number, are multiples of 2^-grid that every implementation gets exactly.
 */
export interface Estimate {
  readonly low: number
  readonly high: number
  readonly error: number
  readonly grid: number | null
}

/** Distance of neighboring float32 numbers at 1. */
export const epsilon = 2 ** -23

export const magnitude = ({ low, high }: Estimate) => Math.max(Math.abs(low), Math.abs(high))

export const exactly = (low: number, high: number, grid = 0): Estimate => ({ low, high, error: 0, grid })

export const roughly = (low: number, high: number, error: number): Estimate => ({
  low,
  high,
  error,
  grid: null,
})

/** An exact estimate stays so while 24 bits hold every element; beyond that sums and products are rounded. */
export function rounded(estimate: Estimate, roundingCount = 1): Estimate {
  const { low, high, error, grid } = estimate
  const most = magnitude(estimate)
  if (grid !== null && most * 2 ** grid <= 2 ** 24) return { low, high, error: 0, grid }
  return roughly(low, high, error + roundingCount * epsilon * most)
}

export function union(...estimates: readonly Estimate[]): Estimate {
  const grids = estimates.map((it) => it.grid)
  return {
    low: Math.min(...estimates.map((it) => it.low)),
    high: Math.max(...estimates.map((it) => it.high)),
    error: Math.max(...estimates.map((it) => it.error)),
    grid: grids.includes(null) ? null : Math.max(...(grids as number[])),
  }
}

const joinGrids = (a: Estimate, b: Estimate, join: (x: number, y: number) => number) =>
  a.grid === null || b.grid === null ? null : join(a.grid, b.grid)

export function sumOf(a: Estimate, b: Estimate): Estimate {
  const grid = joinGrids(a, b, Math.max)
  return rounded({ low: a.low + b.low, high: a.high + b.high, error: a.error + b.error, grid })
}

export const negated = ({ low, high, error, grid }: Estimate): Estimate => ({
  low: -high,
  high: -low,
  error,
  grid,
})

function corners(a: Estimate, b: Estimate, f: (x: number, y: number) => number): readonly [number, number] {
  const all = [f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)]
  return [Math.min(...all), Math.max(...all)]
}

export function productOf(a: Estimate, b: Estimate): Estimate {
  const [low, high] = corners(a, b, (x, y) => x * y)
  const error = magnitude(a) * b.error + magnitude(b) * a.error + a.error * b.error
  return rounded({ low, high, error, grid: joinGrids(a, b, (x, y) => x + y) })
}

/** `b` does not come near zero. */
export function quotientOf(a: Estimate, b: Estimate): Estimate {
  const [low, high] = corners(a, b, (x, y) => x / y)
  const least = Math.min(Math.abs(b.low), Math.abs(b.high)) - b.error
  const most = Math.max(Math.abs(low), Math.abs(high))
  return rounded({ low, high, error: (a.error + most * b.error) / least, grid: null }, 2)
}

/** The sum of `count` values like this one, in any order. */
export function totalOf(one: Estimate, count: number): Estimate {
  const most = count * magnitude(one)
  const total: Estimate = {
    low: count * one.low,
    high: count * one.high,
    error: count * one.error,
    grid: one.grid,
  }
  if (one.grid !== null && most * 2 ** one.grid <= 2 ** 24) return total
  return roughly(total.low, total.high, total.error + count * epsilon * most)
}

/** The sum of `count` products. */
export const dotOf = (a: Estimate, b: Estimate, count: number) => totalOf(productOf(a, b), count)

/** Fit to go on with: neither huge nor mostly error. */
export function isTame(estimate: Estimate): boolean {
  const most = magnitude(estimate)
  return most <= 1e6 && estimate.error <= 1e-3 * Math.max(1, most)
}
