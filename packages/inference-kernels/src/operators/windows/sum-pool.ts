// SPDX-License-Identifier: Apache-2.0
import { type TapRanges, type ThreeAxes, tapRanges } from './axes.ts'

/**
 * Sums of the elements that each window sees, over one channel.
 * @param at where the channel begins
 * @param sums gets one per window
 */
export function sumWindows(
  x: Float32Array | Float64Array,
  at: number,
  axes: ThreeAxes,
  ranges: readonly [TapRanges, TapRanges, TapRanges],
  sums: Float64Array,
): void {
  const [depth, height, width] = axes
  const [inDepth, inHeight, inWidth] = ranges
  let to = 0
  for (let od = 0; od < depth.count; od++) {
    const top = od * depth.stride - depth.before
    for (let oh = 0; oh < height.count; oh++) {
      const left = oh * height.stride - height.before
      for (let ow = 0; ow < width.count; ow++) {
        const start = ow * width.stride - width.before
        const first = inWidth.first[ow] as number
        const end = inWidth.end[ow] as number
        let sum = 0
        for (let kd = inDepth.first[od] as number; kd < (inDepth.end[od] as number); kd++) {
          const slice = top + kd * depth.dilation
          for (let kh = inHeight.first[oh] as number; kh < (inHeight.end[oh] as number); kh++) {
            const row = slice * height.size + left + kh * height.dilation
            let from = at + row * width.size + start + first * width.dilation
            for (let kw = first; kw < end; kw++, from += width.dilation) sum += x[from] as number
          }
        }
        sums[to++] = sum
      }
    }
  }
}

export function allTapRanges(axes: ThreeAxes): [TapRanges, TapRanges, TapRanges] {
  return axes.map(tapRanges) as [TapRanges, TapRanges, TapRanges]
}

/**
 * How many elements each window is divided by.
 * @param isPaddingCounted whether padding counts; what hangs over behind it never does
 */
export function windowDivisors(axes: ThreeAxes, isPaddingCounted: boolean): Float64Array {
  const padded = axes.map((it) =>
    isPaddingCounted ? { ...it, size: it.size + it.before + it.after, before: 0 } : it,
  ) as unknown as ThreeAxes
  const [d, h, w] = allTapRanges(padded).map(({ first, end }) =>
    end.map((last, o) => last - (first[o] as number)),
  ) as [Int32Array, Int32Array, Int32Array]
  const divisors = new Float64Array(d.length * h.length * w.length)
  let to = 0
  for (const x of d) for (const y of h) for (const z of w) divisors[to++] = Math.max(x * y * z, 1)
  return divisors
}
