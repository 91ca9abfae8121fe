// SPDX-License-Identifier: Apache-2.0
// Kernels that count, look up and tell apart.
import * as tf from '@tensorflow/tfjs-core'
import { boxAround } from '../axis-box.ts'
import type { MlcapsuleBackend } from '../backend.ts'
import { countOf, zeros } from '../cast.ts'
import { defineKernel, type TfjsKernel } from '../kernel.ts'
import type { NumberDType } from '../tensor-memory.ts'
import { copyElements, elementsOf } from './gathering.ts'

/** How often, or with what weight, each number below `size` occurs in each row. Larger numbers are left out. */
function countRows(
  backend: MlcapsuleBackend,
  x: tf.TensorInfo,
  weights: tf.TensorInfo,
  shape: number[],
  isBinary: boolean,
): tf.TensorInfo {
  const size = shape.at(-1) as number
  const made = zeros(backend, shape, weights.dtype as NumberDType)
  const numbers = backend.numbers(x)
  const weightOf = countOf(weights) > 0 ? backend.numbers(weights) : null
  const to = backend.numbers(made)
  const perRow = numbers.length / tf.util.sizeFromShape(shape.slice(0, -1))
  for (const [i, number] of numbers.entries()) {
    if (number < 0) throw new RangeError('Input x must be non-negative!')
    if (number >= size) continue
    const at = Math.floor(i / perRow) * size + number
    to[at] = isBinary ? 1 : (to[at] as number) + (weightOf === null ? 1 : (weightOf[i] as number))
  }
  return made
}

const bincount = defineKernel<tf.BincountInputs, tf.BincountAttrs>(
  tf.Bincount,
  ({ inputs: { x, weights }, attrs: { size }, backend }) => countRows(backend, x, weights, [size], false),
)

const denseBincount = defineKernel<tf.DenseBincountInputs, tf.DenseBincountAttrs>(
  tf.DenseBincount,
  ({ inputs: { x, weights }, attrs: { size, binaryOutput = false }, backend }) =>
    countRows(backend, x, weights, [...x.shape.slice(0, -1), size], binaryOutput),
)

const searchSorted = defineKernel<tf.SearchSortedInputs, tf.SearchSortedAttrs>(
  tf.SearchSorted,
  ({ inputs: { sortedSequence, values }, attrs: { side }, backend }) => {
    const made = backend.make(values.shape, 'int32')
    const sorted = backend.numbers(sortedSequence)
    const wanted = backend.numbers(values)
    const to = backend.numbers(made)
    const size = sortedSequence.shape.at(-1) as number
    const perRow = values.shape.at(-1) as number
    for (let i = 0; i < to.length; i++) {
      const first = Math.floor(i / perRow) * size
      const value = wanted[i] as number
      let [low, high] = [first, first + size]
      while (low < high) {
        const middle = (low + high) >>> 1
        const it = sorted[middle] as number
        if (side === 'left' ? it < value : it <= value) low = middle + 1
        else high = middle
      }
      to[i] = low - first
    }
    return made
  },
)

const unique = defineKernel<tf.UniqueInputs, tf.UniqueAttrs>(
  tf.Unique,
  ({ inputs: { x }, attrs: { axis: given }, backend }) => {
    const [axis = 0] = tf.util.parseAxisParam(given, x.shape)
    const { outer, size, inner } = boxAround(x.shape, axis)
    const from = elementsOf(backend, x)
    const kinds = new Map<string, number>()
    const firsts: number[] = []
    const kindOf = Array.from({ length: size }, (_, slice) => {
      const parts = Array.from({ length: outer }, (_, o) => {
        const start = (o * size + slice) * inner
        return Array.from(from.slice(start, start + inner) as ArrayLike<unknown>, String).join(' ')
      })
      const key = parts.join(';')
      const kind = kinds.get(key) ?? firsts.push(slice) - 1
      kinds.set(key, kind)
      return kind
    })
    const shape = x.shape.map((dim, d) => (d === axis ? firsts.length : dim))
    const made = backend.make(shape, x.dtype)
    const source = elementsOf(backend, x)
    const to = elementsOf(backend, made)
    for (let o = 0; o < outer; o++) {
      for (const [kind, slice] of firsts.entries()) {
        copyElements(source, (o * size + slice) * inner, inner, to, (o * firsts.length + kind) * inner)
      }
    }
    return [made, backend.makeOf([size], 'int32', kindOf)]
  },
)

const broadcastArgs = defineKernel<tf.BroadcastArgsInputs>(
  tf.BroadcastArgs,
  ({ inputs: { s0, s1 }, backend }) => {
    const [a, b] = [s0, s1].map((it) => Array.from(backend.numbers(it))) as [number[], number[]]
    const shape = tf.backend_util.assertAndGetBroadcastShape(a, b)
    return backend.makeOf([shape.length], 'int32', shape)
  },
)

const diag = defineKernel<tf.DiagInputs>(tf.Diag, ({ inputs: { x }, backend }) => {
  const count = countOf(x)
  const made = zeros(backend, [...x.shape, ...x.shape], x.dtype as NumberDType)
  const from = backend.numbers(x)
  const to = backend.numbers(made)
  for (let i = 0; i < count; i++) to[i * (count + 1)] = from[i] as number
  return made
})

export const countingKernels: readonly TfjsKernel[] = [
  bincount,
  denseBincount,
  searchSorted,
  unique,
  broadcastArgs,
  diag,
]
