// SPDX-License-Identifier: Apache-2.0
import {
  type CoordinateMode,
  type NearestMode,
  nearestElement,
  originalCoordinate,
  type ResizedAxis,
} from './resize-coordinates.ts'

export interface Interpolation {
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly coordinates: CoordinateMode
  readonly nearest: NearestMode
  readonly cubicCoefficient: number
  /** Elements outside weigh nothing, instead of being those of the border. */
  readonly isOutsideExcluded: boolean
  /** Whether shrinking looks at all elements in between. */
  readonly isAntialiased: boolean
}

/** Which elements each element of the result is made of, and how much they weigh: `tapCount` per element. */
export interface AxisTaps {
  readonly tapCount: number
  readonly index: Int32Array
  readonly weight: Float64Array
  /** 1 where a coordinate lies outside the dimension. */
  readonly outside: Uint8Array
}

/** The weight of an element at a distance, before weights are made to sum up to 1. */
function kernelWeight(distance: number, { mode, cubicCoefficient: a }: Interpolation): number {
  const d = Math.abs(distance)
  if (mode === 'linear') return Math.max(0, 1 - d)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}

/** Taps of one dimension. */
export function tapsOf(axis: ResizedAxis, interpolation: Interpolation): AxisTaps {
  const { size, count } = axis
  const { mode, coordinates, isAntialiased } = interpolation
  const reach = mode === 'nearest' ? 0 : mode === 'linear' ? 1 : 2
  const shrink = isAntialiased ? Math.min(axis.scale, 1) : 1
  const before = Math.ceil(reach / shrink) - 1
  const tapCount = reach === 0 ? 1 : 2 * before + 2
  const index = new Int32Array(count * tapCount)
  const weight = new Float64Array(count * tapCount)
  const outside = new Uint8Array(count)
  const clamp = (at: number) => Math.min(Math.max(at, 0), size - 1)
  for (let o = 0; o < count; o++) {
    const x = originalCoordinate(o, axis, coordinates)
    outside[o] = x < 0 || x > size - 1 ? 1 : 0
    if (reach === 0) {
      index[o] = clamp(nearestElement(x, axis, interpolation.nearest))
      weight[o] = 1
      continue
    }
    const first = Math.floor(x) - before
    let sum = 0
    for (let t = 0; t < tapCount; t++) {
      const at = first + t
      const isLeftOut = interpolation.isOutsideExcluded && (at < 0 || at >= size)
      const own = isLeftOut ? 0 : kernelWeight((at - x) * shrink, interpolation)
      index[o * tapCount + t] = clamp(at)
      weight[o * tapCount + t] = own
      sum += own
    }
    for (let t = o * tapCount; sum !== 0 && t < (o + 1) * tapCount; t++) {
      weight[t] = (weight[t] as number) / sum
    }
  }
  return { tapCount, index, weight, outside }
}

/** Resamples the middle dimension of [outer, size, inner]. */
export function resampleAxis(
  from: Float32Array | Float64Array,
  to: Float32Array | Float64Array,
  [outer, size, inner]: readonly [outer: number, size: number, inner: number],
  { tapCount, index, weight }: AxisTaps,
): void {
  const count = index.length / tapCount
  const sums = new Float64Array(inner)
  for (let row = 0; row < outer; row++) {
    for (let o = 0; o < count; o++) {
      if (inner === 1) {
        let sum = 0
        for (let t = o * tapCount; t < (o + 1) * tapCount; t++) {
          sum += (weight[t] as number) * (from[row * size + (index[t] as number)] as number)
        }
        to[row * count + o] = sum
        continue
      }
      sums.fill(0)
      for (let t = o * tapCount; t < (o + 1) * tapCount; t++) {
        const factor = weight[t] as number
        const at = (row * size + (index[t] as number)) * inner
        if (factor !== 0)
          for (let i = 0; i < inner; i++) sums[i] = (sums[i] as number) + factor * (from[at + i] as number)
      }
      to.set(sums, (row * count + o) * inner)
    }
  }
}
