// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { requireDtype, required, result } from '../support.ts'
import { windowAttributes } from './axes.ts'
import { poolAxes } from './max-pool.ts'
import { imageCount, windowCount } from './patches.ts'
import { allTapRanges, sumWindows, windowDivisors } from './sum-pool.ts'

/** The mean of each window, over the elements of the image or, with `count_include_pad`, over those of the padding too. */
export const averagePool = defineOperator({
  name: 'AveragePool',
  inputCount: [1, 1],
  attributes: { ...windowAttributes, ceil_mode: flag(false), count_include_pad: flag(false) },
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    return [result(dtype, poolAxes(dims, attributes).dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const out = (outputs[0] as Operand).data as Float32Array
    if (out.length === 0) return
    const { axes } = poolAxes(x.dims, attributes)
    const divisors = windowDivisors(axes, attributes.count_include_pad)
    const ranges = allTapRanges(axes)
    const sums = new Float64Array(windowCount(axes))
    const channelSize = imageCount(axes)
    for (let to = 0, at = 0; to < out.length; at += channelSize) {
      sumWindows(x.data as Float32Array, at, axes, ranges, sums)
      for (let i = 0; i < sums.length; i++) out[to++] = (sums[i] as number) / (divisors[i] as number)
    }
  },
})

/** The p-norm of each window. */
export const lpPool = defineOperator({
  name: 'LpPool',
  inputCount: [1, 1],
  attributes: { ...windowAttributes, ceil_mode: flag(false), p: int(2) },
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    if (attributes.p < 1) mismatch(`p is ${attributes.p}`)
    return [result(dtype, poolAxes(dims, attributes).dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const out = (outputs[0] as Operand).data as Float32Array
    if (out.length === 0) return
    const { axes } = poolAxes(x.dims, attributes)
    const { p } = attributes
    const ranges = allTapRanges(axes)
    const sums = new Float64Array(windowCount(axes))
    const powers = new Float64Array(imageCount(axes))
    for (let to = 0, at = 0; to < out.length; at += powers.length) {
      for (let i = 0; i < powers.length; i++) powers[i] = Math.abs(x.data[at + i] as number) ** p
      sumWindows(powers, 0, axes, ranges, sums)
      for (let i = 0; i < sums.length; i++) out[to++] = (sums[i] as number) ** (1 / p)
    }
  },
})
