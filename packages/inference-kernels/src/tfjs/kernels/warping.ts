// SPDX-License-Identifier: Apache-2.0
// Kernels that turn and distort images [batch, height, width, channels].
import * as tf from '@tensorflow/tfjs-core'
import { copyBox, rowStrides, wholeOf } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import type { Shape4 } from '../taps.ts'

const flipLeftRight = defineKernel<tf.FlipLeftRightInputs>(
  tf.FlipLeftRight,
  ({ inputs: { image }, backend }) => {
    const made = backend.make(image.shape, image.dtype)
    const own = rowStrides(image.shape)
    const start = ((image.shape[2] as number) - 1) * (own[2] as number)
    const strides = own.map((stride, d) => (d === 2 ? -stride : stride))
    copyBox(backend, image.shape, { tensor: image, start, strides }, wholeOf(made))
    return made
  },
)

/** What lies outside is one number, or a color; its alpha is opaque. */
const fillOf = (fillValue: number | readonly number[], channel: number): number => {
  if (typeof fillValue === 'number') return fillValue
  return channel === 3 ? 255 : (fillValue[channel] as number)
}

const rotateWithOffset = defineKernel<tf.RotateWithOffsetInputs, tf.RotateWithOffsetAttrs>(
  tf.RotateWithOffset,
  ({ inputs: { image }, attrs: { radians, fillValue, center }, backend }) => {
    const [batch, height, width, channels] = image.shape as Shape4
    const [centerX, centerY] = tf.backend_util.getImageCenter(center, height, width)
    const [sine, cosine] = [Math.sin(radians), Math.cos(radians)]
    const made = backend.make(image.shape, image.dtype)
    const from = backend.numbers(image)
    const to = backend.numbers(made)
    let at = 0
    for (let n = 0; n < batch; n++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const [dx, dy] = [x - centerX, y - centerY]
          const sourceX = Math.round(dx * cosine - dy * sine + centerX)
          const sourceY = Math.round(dx * sine + dy * cosine + centerY)
          const isInside = sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height
          const pixel = ((n * height + sourceY) * width + sourceX) * channels
          for (let c = 0; c < channels; c++) {
            to[at++] = isInside ? (from[pixel + c] as number) : fillOf(fillValue, c)
          }
        }
      }
    }
    return made
  },
)

const within = (value: number, size: number) => Math.max(0, Math.min(size - 1, value))

/** Where a coordinate outside of the image is taken from. */
function reflected(place: number, size: number, mode: tf.TransformAttrs['fillMode']): number {
  if (mode === 'constant' || (place >= 0 && place <= size - 1)) return place
  if (mode === 'nearest' || size <= 1) return within(place, size)
  if (mode === 'wrap') {
    // The image begins again after `size`, but places are counted in steps of the distance between its outer pixels.
    const turns = Math.trunc(Math.abs(place) / (size - 1))
    return within(place < 0 ? place + size * (turns + 1) : place - size * turns, size)
  }
  const period = 2 * size
  const folded = ((place % period) + period) % period
  return within(folded < size ? folded : period - folded - 1, size)
}

const transform = defineKernel<tf.TransformInputs, tf.TransformAttrs>(
  tf.Transform,
  ({ inputs: { image, transforms }, attrs, backend }) => {
    const { interpolation, fillMode, fillValue, outputShape } = attrs
    const [batch, height, width, channels] = image.shape as Shape4
    const [newHeight, newWidth] = outputShape ?? [height, width]
    const made = backend.make([batch, newHeight, newWidth, channels], image.dtype)
    const from = backend.numbers(image)
    const matrices = backend.numbers(transforms)
    const to = backend.numbers(made)
    to.fill(fillValue)
    const read = (n: number, y: number, x: number, c: number) =>
      y >= 0 && y < height && x >= 0 && x < width
        ? (from[((n * height + y) * width + x) * channels + c] as number)
        : fillValue
    const sample = (n: number, y: number, x: number, c: number) => {
      if (interpolation === 'nearest') return read(n, Math.round(y), Math.round(x), c)
      const [top, left] = [Math.floor(y), Math.floor(x)]
      const above = read(n, top, left, c) * (left + 1 - x) + read(n, top, left + 1, c) * (x - left)
      const below = read(n, top + 1, left, c) * (left + 1 - x) + read(n, top + 1, left + 1, c) * (x - left)
      return above * (top + 1 - y) + below * (y - top)
    }
    for (let n = 0; n < batch; n++) {
      const first = transforms.shape[0] === 1 ? 0 : n * 8
      const [a, b, c0, d, e, f, g, h] = Array.from(matrices.subarray(first, first + 8)) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      for (let y = 0; y < newHeight; y++) {
        for (let x = 0; x < newWidth; x++) {
          const depth = g * x + h * y + 1
          if (depth === 0) continue
          const sourceX = reflected((a * x + b * y + c0) / depth, width, fillMode)
          const sourceY = reflected((d * x + e * y + f) / depth, height, fillMode)
          const at = ((n * newHeight + y) * newWidth + x) * channels
          for (let c = 0; c < channels; c++) to[at + c] = sample(n, sourceY, sourceX, c)
        }
      }
    }
    return made
  },
)

export const warpingKernels: readonly TfjsKernel[] = [flipLeftRight, rotateWithOffset, transform]
