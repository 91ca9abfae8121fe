// SPDX-License-Identifier: Apache-2.0
// Resizing of images [batch, height, width, channels].
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

export interface Flags {
  readonly alignCorners: boolean
  readonly halfPixelCenters: boolean
}

/** Where the pixels of a side of the result lie on that side of the image. */
function positions(size: number, newSize: number, { alignCorners, halfPixelCenters }: Flags): Float64Array {
  const isAligned = alignCorners && newSize > 1
  const ratio = isAligned ? (size - 1) / (newSize - 1) : size / newSize
  return Float64Array.from({ length: newSize }, (_, i) =>
    halfPixelCenters ? (i + 0.5) * ratio - 0.5 : i * ratio,
  )
}

export interface Sample {
  readonly low: number
  readonly high: number
  /** How much of the higher one. */
  readonly share: number
}

/** Between which pixels of a side those of the result lie. */
export function bilinearSamples(size: number, newSize: number, flags: Flags): readonly Sample[] {
  return Array.from(positions(size, newSize, flags), (place) => {
    const low = Math.max(0, Math.floor(place))
    return { low, high: Math.min(size - 1, Math.ceil(place)), share: place - low }
  })
}

/** Which pixel of a side those of the result take. */
export function nearestSamples(size: number, newSize: number, flags: Flags): readonly number[] {
  return Array.from(positions(size, newSize, flags), (place) => {
    // With half-pixel centers the pixel whose area holds the center, else the one at or before the place.
    const center = flags.halfPixelCenters ? place + 0.5 : place
    const index = flags.alignCorners ? Math.round(center) : Math.floor(center)
    return Math.max(0, Math.min(size - 1, index))
  })
}

const resizeBilinear = defineKernel<tf.ResizeBilinearInputs, tf.ResizeBilinearAttrs>(
  tf.ResizeBilinear,
  ({ inputs: { images }, attrs: { size, ...flags }, backend }) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const made = backend.make([batch, ...size, channels], 'float32')
    const from = backend.numbers(images)
    const to = backend.numbers(made)
    const rows = bilinearSamples(height, size[0], flags)
    const columns = bilinearSamples(width, size[1], flags)
    let at = 0
    for (let n = 0; n < batch; n++) {
      for (const row of rows) {
        const above = (n * height + row.low) * width
        const below = (n * height + row.high) * width
        for (const column of columns) {
          const a = (above + column.low) * channels
          const b = (above + column.high) * channels
          const c = (below + column.low) * channels
          const d = (below + column.high) * channels
          for (let k = 0; k < channels; k++) {
            const top = mix(from[a + k] as number, from[b + k] as number, column.share)
            const bottom = mix(from[c + k] as number, from[d + k] as number, column.share)
            to[at++] = mix(top, bottom, row.share)
          }
        }
      }
    }
    return made
  },
)

const mix = (low: number, high: number, share: number) => low + (high - low) * share

const resizeNearestNeighbor = defineKernel<tf.ResizeNearestNeighborInputs, tf.ResizeNearestNeighborAttrs>(
  tf.ResizeNearestNeighbor,
  ({ inputs: { images }, attrs: { size, ...flags }, backend }) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const made = backend.make([batch, ...size, channels], images.dtype)
    const from = backend.numbers(images)
    const to = backend.numbers(made)
    const rows = nearestSamples(height, size[0], flags)
    const columns = nearestSamples(width, size[1], flags)
    let at = 0
    for (let n = 0; n < batch; n++) {
      for (const row of rows) {
        for (const column of columns) {
          const pixel = ((n * height + row) * width + column) * channels
          for (let k = 0; k < channels; k++) to[at++] = from[pixel + k] as number
        }
      }
    }
    return made
  },
)

export const resizeKernels: readonly TfjsKernel[] = [resizeBilinear, resizeNearestNeighbor]
