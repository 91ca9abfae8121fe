// SPDX-License-Identifier: Apache-2.0
// Gradients that tfjs has kernels for, but for those of windows.
import * as tf from '@tensorflow/tfjs-core'
import { zeros } from '../cast.ts'
import { combineTensors } from '../elementwise.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import { bilinearSamples, nearestSamples } from './resize.ts'

const eluGrad = defineKernel<tf.EluGradInputs>(tf.EluGrad, ({ inputs: { dy, y }, backend }) =>
  combineTensors(backend, dy, y, (slope, value) => (value >= 0 ? slope : slope * (value + 1))),
)

const lrnGrad = defineKernel<tf.LRNGradInputs, tf.LRNGradAttrs>(
  tf.LRNGrad,
  ({ inputs: { x, y, dy }, attrs: { depthRadius, bias, alpha, beta }, backend }) => {
    const made = zeros(backend, x.shape)
    const [from, results, slopes, to] = [x, y, dy, made].map((it) => backend.numbers(it)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const channels = x.shape.at(-1) ?? 1
    for (let at = 0; at < to.length; at++) {
      const channel = at % channels
      const first = at - Math.min(channel, depthRadius)
      const last = at + Math.min(channels - 1 - channel, depthRadius)
      let sum = 0
      for (let k = first; k <= last; k++) sum += (from[k] as number) ** 2
      const norm = bias + alpha * sum
      const slope = slopes[at] as number
      const shared = (-2 * alpha * beta * (results[at] as number) * slope) / norm
      for (let k = first; k <= last; k++) to[k] = (to[k] as number) + shared * (from[k] as number)
      to[at] = (to[at] as number) + slope * norm ** -beta
    }
    return made
  },
)

const resizeBilinearGrad = defineKernel<tf.ResizeBilinearGradInputs, tf.ResizeBilinearGradAttrs>(
  tf.ResizeBilinearGrad,
  ({ inputs: { images, dy }, attrs: { alignCorners }, backend }) => {
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const [, newHeight, newWidth] = dy.shape as [number, number, number, number]
    const flags = { alignCorners, halfPixelCenters: false }
    const rows = bilinearSamples(height, newHeight, flags)
    const columns = bilinearSamples(width, newWidth, flags)
    const made = zeros(backend, images.shape)
    const slopes = backend.numbers(dy)
    const to = backend.numbers(made)
    let from = 0
    const spread = (row: number, column: number, n: number, share: number) => {
      const pixel = ((n * height + row) * width + column) * channels
      for (let c = 0; c < channels; c++) {
        to[pixel + c] = (to[pixel + c] as number) + share * (slopes[from + c] as number)
      }
    }
    for (let n = 0; n < batch; n++) {
      for (const row of rows) {
        for (const column of columns) {
          spread(row.low, column.low, n, (1 - row.share) * (1 - column.share))
          spread(row.low, column.high, n, (1 - row.share) * column.share)
          spread(row.high, column.low, n, row.share * (1 - column.share))
          spread(row.high, column.high, n, row.share * column.share)
          from += channels
        }
      }
    }
    return made
  },
)

const resizeNearestNeighborGrad = defineKernel<
  tf.ResizeNearestNeighborGradInputs,
  tf.ResizeNearestNeighborGradAttrs
>(tf.ResizeNearestNeighborGrad, ({ inputs: { images, dy }, attrs: { alignCorners }, backend }) => {
  const [batch, height, width, channels] = images.shape as [number, number, number, number]
  const [, newHeight, newWidth] = dy.shape as [number, number, number, number]
  const flags = { alignCorners, halfPixelCenters: false }
  const rows = nearestSamples(height, newHeight, flags)
  const columns = nearestSamples(width, newWidth, flags)
  const made = zeros(backend, images.shape)
  const slopes = backend.numbers(dy)
  const to = backend.numbers(made)
  let from = 0
  for (let n = 0; n < batch; n++) {
    for (const row of rows) {
      for (const column of columns) {
        const pixel = ((n * height + row) * width + column) * channels
        for (let c = 0; c < channels; c++) {
          to[pixel + c] = (to[pixel + c] as number) + (slopes[from++] as number)
        }
      }
    }
  }
  return made
})

export const gradientKernels: readonly TfjsKernel[] = [
  eluGrad,
  lrnGrad,
  resizeBilinearGrad,
  resizeNearestNeighborGrad,
]
