// SPDX-License-Identifier: Apache-2.0
// Kernels that show elements more than once.
import * as tf from '@tensorflow/tfjs-core'
import { broadcastStrides } from '../../plan/strides.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { copyBox, rowStrides, wholeOf } from '../copy-box.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

/** The tensor several times along one axis. */
function tileAxis(backend: MlcapsuleBackend, x: tf.TensorInfo, axis: number, times: number): tf.TensorInfo {
  const shape = x.shape.map((dim, d) => (d === axis ? dim * times : dim))
  const outer = tf.util.sizeFromShape(x.shape.slice(0, axis))
  const inner = tf.util.sizeFromShape(x.shape.slice(axis))
  const made = backend.make(shape, x.dtype)
  const from = { tensor: x, start: 0, strides: [inner, 0, 1] }
  copyBox(backend, [outer, times, inner], from, {
    tensor: made,
    start: 0,
    strides: rowStrides([outer, times, inner]),
  })
  return made
}

const tile = defineKernel<tf.TileInputs, tf.TileAttrs>(
  tf.Tile,
  ({ inputs: { x }, attrs: { reps }, backend }) => {
    let tiled = backend.share(x, x.shape)
    // The last axis first: what is copied most often is then largest.
    for (let axis = reps.length - 1; axis >= 0; axis--) {
      if (reps[axis] === 1) continue
      const next = tileAxis(backend, tiled, axis, reps[axis] as number)
      backend.release(tiled)
      tiled = next
    }
    return tiled
  },
)

const broadcastTo = defineKernel<tf.BroadcastToInputs, tf.BroadCastToAttrs>(
  tf.BroadcastTo,
  ({ inputs: { x }, attrs: { shape }, backend }) => {
    const made = backend.make(shape, x.dtype)
    const strides = broadcastStrides(x.shape, 'row-major', shape.length)
    copyBox(backend, shape, { tensor: x, start: 0, strides }, wholeOf(made))
    return made
  },
)

/** Fills the border of one axis, before and after what is there, with its reflection. */
function reflectAxis(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  axis: number,
  [before, after]: readonly [number, number],
  offset: number,
): tf.TensorInfo {
  const size = x.shape[axis] as number
  const made = backend.make(
    x.shape.map((dim, d) => (d === axis ? before + dim + after : dim)),
    x.dtype,
  )
  const from = rowStrides(x.shape)
  const to = rowStrides(made.shape)
  const step = from[axis] as number
  const copy = (count: number, source: number, direction: number, target: number) =>
    copyBox(
      backend,
      x.shape.map((dim, d) => (d === axis ? count : dim)),
      {
        tensor: x,
        start: source * step,
        strides: from.map((stride, d) => (d === axis ? direction * stride : stride)),
      },
      { tensor: made, start: target * (to[axis] as number), strides: to },
    )
  copy(before, before - 1 + offset, -1, 0)
  copy(size, 0, 1, before)
  copy(after, size - 1 - offset, -1, before + size)
  return made
}

const mirrorPad = defineKernel<tf.MirrorPadInputs, tf.MirrorPadAttrs>(
  tf.MirrorPad,
  ({ inputs: { x }, attrs: { paddings, mode }, backend }) => {
    const offset = mode === 'reflect' ? 1 : 0
    let padded = backend.share(x, x.shape)
    for (const [axis, pads] of paddings.entries()) {
      if (pads[0] === 0 && pads[1] === 0) continue
      const next = reflectAxis(backend, padded, axis, pads, offset)
      backend.release(padded)
      padded = next
    }
    return padded
  },
)

export const repeatKernels: readonly TfjsKernel[] = [tile, broadcastTo, mirrorPad]
