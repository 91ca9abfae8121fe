// SPDX-License-Identifier: Apache-2.0
// Resizing of images [batch, height, width, channels].
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

interface Flags {
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

const resizeBilinear = defineKernel<tf.ResizeBilinearInputs, tf.ResizeBilinearAttrs>(
  tf.ResizeBilinear,
  ({ inputs: { images }, attrs: { size, ...flags }, backend }) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const made = backend.make([batch, ...size, channels], 'float32')
    const from = backend.numbers(images)
    const to = backend.numbers(made)
    const sides = [
      [height, positions(height, size[0], flags)],
      [width, positions(width, size[1], flags)],
    ] as const
    const [rows, columns] = sides.map(([count, list]) =>
      Array.from(list, (place) => {
        const low = Math.max(0, Math.floor(place))
        return { low, high: Math.min(count - 1, Math.ceil(place)), share: place - low }
      }),
    ) as [Sample[], Sample[]]
    let at = 0
    for (let n = 0; n < batch; n++) {
      for (const row of rows) {
        const above = (n * height + row.low) * width
        const below = (n * height + row.high) * width
        for (const column of columns) {
          const corners = [above + column.low, above + column.high, below + column.low, below + column.high]
          const [a, b, c, d] = corners.map((pixel) => pixel * channels) as [number, number, number, number]
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

interface Sample {
  readonly low: number
  readonly high: number
  /** How much of the higher one. */
  readonly share: number
}

const mix = (low: number, high: number, share: number) => low + (high - low) * share

const resizeNearestNeighbor = defineKernel<tf.ResizeNearestNeighborInputs, tf.ResizeNearestNeighborAttrs>(
  tf.ResizeNearestNeighbor,
  ({ inputs: { images }, attrs: { size, ...flags }, backend }) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const made = backend.make([batch, ...size, channels], images.dtype)
    const from = backend.numbers(images)
    const to = backend.numbers(made)
    const nearest = (count: number, newCount: number) =>
      Array.from(positions(count, newCount, flags), (place) => {
        // With half-pixel centers the pixel whose area holds the center, else the one at or before the place.
        const center = flags.halfPixelCenters ? place + 0.5 : place
        const index = flags.alignCorners ? Math.round(center) : Math.floor(center)
        return Math.max(0, Math.min(count - 1, index))
      })
    const rows = nearest(height, size[0])
    const columns = nearest(width, size[1])
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
