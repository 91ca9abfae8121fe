// SPDX-License-Identifier: Apache-2.0
import { imagePixelCount, imageSide } from './dataset.ts'
import type { RandomStream } from './random.ts'

/** How far a training image may be bent; every range is symmetric around no change. */
export interface AugmentationRange {
  /** Largest rotation, in radians. */
  readonly rotation: number
  /** Largest change of either side's scale, as a fraction. */
  readonly scale: number
  /** Largest slant: columns per row. */
  readonly slant: number
  /** Largest shift along either axis, in pixels. */
  readonly shift: number
}

/** What the committed model was trained with. */
export const defaultAugmentation: AugmentationRange = { rotation: 0.21, scale: 0.13, slant: 0.2, shift: 2 }

/**
 * Writes one randomly bent copy of an image: rotated, scaled, slanted and shifted about its center, read by
 * bilinear interpolation, blank beyond the border.
 * @param source 784 bytes, 0..255
 * @param target 784 floats, 0..1, overwritten
 */
export function augmentInto(
  target: Float32Array,
  source: Uint8Array,
  random: RandomStream,
  range: AugmentationRange = defaultAugmentation,
): void {
  const angle = random.between(-range.rotation, range.rotation)
  const scaleX = 1 + random.between(-range.scale, range.scale)
  const scaleY = 1 + random.between(-range.scale, range.scale)
  const slant = random.between(-range.slant, range.slant)
  const shiftX = random.between(-range.shift, range.shift)
  const shiftY = random.between(-range.shift, range.shift)

  // The matrix leads from a target pixel back to where it is read in the source.
  const cos = Math.cos(angle)
  const sin = Math.sin(angle)
  const xFromX = (cos - slant * sin) / scaleX
  const xFromY = (sin + slant * cos) / scaleX
  const yFromX = -sin / scaleY
  const yFromY = cos / scaleY
  const center = (imageSide - 1) / 2
  for (let row = 0; row < imageSide; row++) {
    for (let column = 0; column < imageSide; column++) {
      const x = column - center - shiftX
      const y = row - center - shiftY
      const sourceX = center + xFromX * x + xFromY * y
      const sourceY = center + yFromX * x + yFromY * y
      target[row * imageSide + column] = readBilinear(source, sourceX, sourceY) / 255
    }
  }
}

/** Writes an image as it is, 0..255 to 0..1. */
export function copyInto(target: Float32Array, source: Uint8Array): void {
  for (let pixel = 0; pixel < imagePixelCount; pixel++) target[pixel] = (source[pixel] as number) / 255
}

function readBilinear(source: Uint8Array, x: number, y: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  if (left < -1 || top < -1 || left >= imageSide || top >= imageSide) return 0
  const rightShare = x - left
  const bottomShare = y - top
  const upper = pixelAt(source, left, top) * (1 - rightShare) + pixelAt(source, left + 1, top) * rightShare
  const lower =
    pixelAt(source, left, top + 1) * (1 - rightShare) + pixelAt(source, left + 1, top + 1) * rightShare
  return upper * (1 - bottomShare) + lower * bottomShare
}

function pixelAt(source: Uint8Array, column: number, row: number): number {
  if (column < 0 || row < 0 || column >= imageSide || row >= imageSide) return 0
  return source[row * imageSide + column] as number
}
