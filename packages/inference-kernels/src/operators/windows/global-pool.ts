// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand, type TensorType } from '../operator.ts'
import { product, requireDtype, required, result, showDims } from '../support.ts'

/** Dims [N, C, 1, ...]: each channel becomes one element. */
function pooledWhole({ dtype, dims }: TensorType) {
  requireDtype(dtype, ['float32'])
  if (dims.length < 2) mismatch(`an image has shape ${showDims(dims)}`)
  return [
    result(
      dtype,
      dims.map((dim, d) => (d < 2 ? dim : 1)),
    ),
  ]
}

/** Elements of each channel, and of all. */
function channelsOf(x: Operand, out: Operand) {
  const count = product(x.dims.slice(2))
  return { from: x.data as Float32Array, to: out.data as Float32Array, count }
}

/** The mean of each channel; NaN of none. */
export const globalAveragePool = defineOperator({
  name: 'GlobalAveragePool',
  inputCount: [1, 1],
  infer: ({ inputs }) => pooledWhole(required(inputs, 0)),
  run({ inputs, outputs }) {
    const { from, to, count } = channelsOf(required(inputs, 0), outputs[0] as Operand)
    for (let i = 0; i < to.length; i++) {
      let sum = 0
      for (let at = i * count; at < (i + 1) * count; at++) sum += from[at] as number
      to[i] = sum / count
    }
  },
})

/** The largest element of each channel; NaN where there is one, -infinity of none. */
export const globalMaxPool = defineOperator({
  name: 'GlobalMaxPool',
  inputCount: [1, 1],
  infer: ({ inputs }) => pooledWhole(required(inputs, 0)),
  run({ inputs, outputs }) {
    const { from, to, count } = channelsOf(required(inputs, 0), outputs[0] as Operand)
    for (let i = 0; i < to.length; i++) {
      let best = Number.NEGATIVE_INFINITY
      for (let at = i * count; at < (i + 1) * count; at++) best = Math.max(best, from[at] as number)
      to[i] = best
    }
  },
})

/** The p-norm of each channel. */
export const globalLpPool = defineOperator({
  name: 'GlobalLpPool',
  inputCount: [1, 1],
  attributes: { p: int(2) },
  infer({ inputs, attributes: { p } }) {
    if (p < 1) mismatch(`p is ${p}`)
    return pooledWhole(required(inputs, 0))
  },
  run({ inputs, outputs, attributes: { p } }) {
    const { from, to, count } = channelsOf(required(inputs, 0), outputs[0] as Operand)
    for (let i = 0; i < to.length; i++) {
      let sum = 0
      for (let at = i * count; at < (i + 1) * count; at++) sum += Math.abs(from[at] as number) ** p
      to[i] = sum ** (1 / p)
    }
  },
})
