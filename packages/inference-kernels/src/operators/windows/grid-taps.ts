// SPDX-License-Identifier: Apache-2.0

import { roundHalfEven } from '../elements/elements.ts'

export type Padding = 'zeros' | 'border' | 'reflection'

export interface GridSampling {
  readonly mode: 'linear' | 'nearest' | 'cubic'
  readonly padding_mode: Padding
  readonly align_corners: boolean
}

/** Elements that a point reads along one dimension: -1 for none. */
export interface GridTaps {
  readonly index: Int32Array
  readonly weight: Float64Array
}

const cubicCoefficient = -0.75
const { fround } = Math

export const gridTapCounts = { nearest: 1, linear: 2, cubic: 4 } as const

/** Mirrors a coordinate at both borders until it lies between them. */
function reflected(x: number, least: number, most: number): number {
  const range = most - least
  if (range <= 0) return least
  const distance = x < least ? least - x : x - most
  const turns = Math.trunc(distance / range)
  const rest = distance - turns * range
  return x < least === (turns % 2 === 0) ? least + rest : most - rest
}

function cubicWeight(distance: number): number {
  const a = cubicCoefficient
  const d = Math.abs(distance)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}

/** An element of the image for any whole coordinate; -1 where there is only padding. */
function elementAt(at: number, size: number, least: number, most: number, padding: Padding): number {
  if (at >= 0 && at < size) return at
  // A coordinate that is not a number is on padding of any kind.
  if (padding === 'zeros' || Number.isNaN(at)) return -1
  const inside = padding === 'border' ? at : Math.trunc(reflected(at, least, most))
  return Math.min(Math.max(inside, 0), size - 1)
}

/**
 * Finds what a point reads along one dimension.
 * @param x its place there, -1 and 1 being the borders
 * @param taps gets `gridTapCounts[mode]` elements
 */
export function findTaps(x: number, size: number, sampling: GridSampling, taps: GridTaps): void {
  const { mode, padding_mode: padding, align_corners: isAligned } = sampling
  let place = isAligned
    ? fround(fround(fround(x + 1) / 2) * (size - 1))
    : fround(fround(fround(fround(x + 1) * size) - 1) / 2)
  if (mode === 'nearest') place = roundHalfEven(place)
  const least = isAligned ? 0 : -0.5
  const most = isAligned ? size - 1 : size - 0.5
  if (place < least || place > most) {
    if (padding === 'border') place = Math.min(Math.max(place, 0), size - 1)
    else if (padding === 'reflection') place = reflected(place, least, most)
  }
  const first = mode === 'nearest' ? Math.trunc(place) : Math.floor(place) - (mode === 'cubic' ? 1 : 0)
  const tapCount = gridTapCounts[mode]
  for (let t = 0; t < tapCount; t++) {
    taps.index[t] = elementAt(first + t, size, least, most, padding)
    const distance = first + t - place
    taps.weight[t] =
      mode === 'nearest' ? 1 : mode === 'linear' ? 1 - Math.abs(distance) : cubicWeight(distance)
  }
}
