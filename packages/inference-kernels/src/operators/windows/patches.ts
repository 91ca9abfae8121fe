// SPDX-License-Identifier: Apache-2.0
import type { ThreeAxes } from './axes.ts'

/** Numbers that are convolved: floats, or integers less their zero point. */
export type Elements = Float32Array | Int32Array

export const tapCount = ([depth, height, width]: ThreeAxes): number =>
  depth.kernel * height.kernel * width.kernel
export const imageCount = ([depth, height, width]: ThreeAxes): number => depth.size * height.size * width.size
export const windowCount = ([depth, height, width]: ThreeAxes): number =>
  depth.count * height.count * width.count

/**
 * Lays out what some windows see: one row per channel and tap, with one column per window, zero where a tap is on padding.
 * @param at where the first of `channelCount` channels begins in `x`
 * @param first number of the first window
 * @param patches gets `channelCount * tapCount(axes)` rows of `count`
 */
export function fillPatches<T extends Elements>(
  x: T,
  at: number,
  channelCount: number,
  axes: ThreeAxes,
  first: number,
  count: number,
  patches: T,
): void {
  const [depth, height, width] = axes
  let to = 0
  for (let c = 0; c < channelCount; c++) {
    for (let kd = 0; kd < depth.kernel; kd++) {
      for (let kh = 0; kh < height.kernel; kh++) {
        for (let kw = 0; kw < width.kernel; kw++) {
          const shift = kw * width.dilation - width.before
          // One run of windows that lie side by side after another.
          for (let window = first; window < first + count; ) {
            const ow = window % width.count
            const row = (window - ow) / width.count
            const oh = row % height.count
            const od = (row - oh) / height.count
            const z = od * depth.stride - depth.before + kd * depth.dilation
            const y = oh * height.stride - height.before + kh * height.dilation
            const run = Math.min(width.count - ow, first + count - window)
            if (z < 0 || z >= depth.size || y < 0 || y >= height.size) patches.fill(0, to, to + run)
            else {
              const from = at + ((c * depth.size + z) * height.size + y) * width.size
              let column = ow * width.stride + shift
              for (let i = 0; i < run; i++) {
                patches[to + i] = column >= 0 && column < width.size ? (x[from + column] as number) : 0
                column += width.stride
              }
            }
            to += run
            window += run
          }
        }
      }
    }
  }
}

/**
 * The reverse of `fillPatches` for one channel, all windows and some taps: adds each tap's row of columns to the image.
 * @param columns one row per tap from `firstTap` to `endTap`, with one column per window
 * @param image one channel
 */
export function addPatches(
  columns: Float32Array,
  axes: ThreeAxes,
  firstTap: number,
  endTap: number,
  image: Float64Array,
): void {
  const [depth, height, width] = axes
  let from = 0
  for (let tap = firstTap; tap < endTap; tap++) {
    const kw = tap % width.kernel
    const kh = Math.floor(tap / width.kernel) % height.kernel
    const kd = Math.floor(tap / (width.kernel * height.kernel))
    const shift = kw * width.dilation - width.before
    for (let od = 0; od < depth.count; od++) {
      const z = od * depth.stride - depth.before + kd * depth.dilation
      for (let oh = 0; oh < height.count; oh++, from += width.count) {
        const y = oh * height.stride - height.before + kh * height.dilation
        if (z < 0 || z >= depth.size || y < 0 || y >= height.size) continue
        const row = (z * height.size + y) * width.size
        let column = shift
        for (let i = 0; i < width.count; i++, column += width.stride) {
          if (column >= 0 && column < width.size)
            image[row + column] = (image[row + column] as number) + (columns[from + i] as number)
        }
      }
    }
  }
}
