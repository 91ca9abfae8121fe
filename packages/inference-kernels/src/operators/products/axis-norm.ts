// SPDX-License-Identifier: Apache-2.0
import { int, ints } from '../attributes.ts'
import { unsupported } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import {
  normalAxes,
  normalAxis,
  product,
  requireDtype,
  required,
  result,
  rowMajorStrides,
  walk,
} from '../support.ts'

/** x divided by its p-norm along an axis; 0 where that is 0. */
export const lpNormalization = defineOperator({
  name: 'LpNormalization',
  inputCount: [1, 1],
  attributes: { axis: int(-1), p: int(2) },
  infer({ inputs, attributes: { axis, p } }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    normalAxis(axis, dims.length)
    if (p !== 1 && p !== 2) unsupported(`p is ${p}; supported are 1 and 2`)
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes: { axis, p } }) {
    const { data, dims } = required(inputs, 0)
    const x = data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const along = normalAxis(axis, dims.length)
    const count = dims[along] as number
    const step = product(dims.slice(along + 1))
    const outer = product(dims.slice(0, along))
    for (let o = 0; o < outer; o++) {
      for (let inner = 0; inner < step; inner++) {
        const start = o * count * step + inner
        let sum = 0
        for (let k = 0, i = start; k < count; k++, i += step) {
          const value = x[i] as number
          sum += p === 1 ? Math.abs(value) : value * value
        }
        const norm = p === 1 ? sum : Math.sqrt(sum)
        for (let k = 0, i = start; k < count; k++, i += step)
          out[i] = norm === 0 ? 0 : (x[i] as number) / norm
      }
    }
  },
})

/** (x - mean) / (standard deviation + 1e-9) over the given axes. */
export const meanVarianceNormalization = defineOperator({
  name: 'MeanVarianceNormalization',
  inputCount: [1, 1],
  attributes: { axes: ints([0, 2, 3]) },
  infer({ inputs, attributes: { axes } }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    normalAxes(axes, dims.length)
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes: { axes } }) {
    const { data, dims } = required(inputs, 0)
    const x = data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const over = normalAxes(axes, dims.length)
    const kept = dims.map((dim, d) => (over.includes(d) ? 1 : dim))
    const strides = rowMajorStrides(kept).map((stride, d) => (over.includes(d) ? 0 : stride))
    const groups = product(kept)
    const size = product(over.map((d) => dims[d] as number))
    const means = new Float64Array(groups)
    const deviations = new Float64Array(groups)
    walk(dims, [strides], (i, [group]) => {
      means[group as number] = (means[group as number] as number) + (x[i] as number) / size
    })
    walk(dims, [strides], (i, [group]) => {
      const offset = (x[i] as number) - (means[group as number] as number)
      deviations[group as number] = (deviations[group as number] as number) + (offset * offset) / size
    })
    walk(dims, [strides], (i, [group]) => {
      const offset = (x[i] as number) - (means[group as number] as number)
      out[i] = offset / (Math.sqrt(deviations[group as number] as number) + 1e-9)
    })
  },
})
