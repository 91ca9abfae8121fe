// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { defineKernel, type TfjsKernel } from '../kernel.ts'

/** Complex numbers: real parts first, then as many imaginary ones. */
type Complexes = Float64Array

/** The discrete Fourier transform: halved as long as that goes (Cooley and Tukey), by its definition from there on. */
function transformed(x: Complexes, sign: 1 | -1): Complexes {
  const count = x.length / 2
  const result = new Float64Array(x.length)
  if (count % 2 !== 0) {
    for (let k = 0; k < count; k++) {
      for (let n = 0; n < count; n++) {
        const angle = (sign * 2 * Math.PI * ((k * n) % count)) / count
        const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
        const [re, im] = [x[n] as number, x[count + n] as number]
        result[k] = (result[k] as number) + re * cosine - im * sine
        result[count + k] = (result[count + k] as number) + re * sine + im * cosine
      }
    }
    return result
  }
  const half = count / 2
  const [even, odd] = [0, 1].map((first) =>
    transformed(
      Float64Array.from({ length: count }, (_, i) => {
        const part = i < half ? 0 : count
        return x[part + 2 * (i % half) + first] as number
      }),
      sign,
    ),
  ) as [Complexes, Complexes]
  for (let k = 0; k < half; k++) {
    const angle = (sign * 2 * Math.PI * k) / count
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)]
    const [re, im] = [odd[k] as number, odd[half + k] as number]
    const [turnedRe, turnedIm] = [re * cosine - im * sine, re * sine + im * cosine]
    result[k] = (even[k] as number) + turnedRe
    result[count + k] = (even[half + k] as number) + turnedIm
    result[k + half] = (even[k] as number) - turnedRe
    result[count + k + half] = (even[half + k] as number) - turnedIm
  }
  return result
}

/** Along the last axis. The inverse is divided by the count. */
const fourier = (name: string, isInverse: boolean) =>
  defineKernel<tf.FFTInputs>(name, ({ inputs: { input }, backend }) => {
    const made = backend.make(input.shape, 'complex64')
    const [from, to] = [input, made].map((it) => backend.parts(it).map((part) => backend.numbers(part))) as [
      [Float32Array, Float32Array],
      [Float32Array, Float32Array],
    ]
    const count = input.shape.at(-1) ?? 1
    for (let at = 0; at < from[0].length; at += count) {
      const row = new Float64Array(2 * count)
      row.set(from[0].subarray(at, at + count))
      row.set(from[1].subarray(at, at + count), count)
      const result = transformed(row, isInverse ? 1 : -1)
      if (isInverse) for (let i = 0; i < result.length; i++) result[i] = (result[i] as number) / count
      to[0].set(result.subarray(0, count), at)
      to[1].set(result.subarray(count), at)
    }
    return made
  })

export const fourierKernels: readonly TfjsKernel[] = [fourier(tf.FFT, false), fourier(tf.IFFT, true)]
