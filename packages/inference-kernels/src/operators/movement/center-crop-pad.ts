// SPDX-License-Identifier: Apache-2.0
import { ints } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { isBigInt, normalAxes, normalAxis, required, result, rowMajorStrides } from '../support.ts'
import { copyBox, placeOf } from './copy-box.ts'
import { requiredList, requireSizes } from './lists.ts'

/** Cuts or pads with zeros at both ends of each axis, to the sizes that the second input lists. No axes: all of them. */
export const centerCropPad = defineOperator({
  name: 'CenterCropPad',
  inputCount: [2, 2],
  attributes: { axes: ints() },
  contents: [1],
  infer({ inputs, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    const { count, values } = requiredList(inputs, 1)
    const named = attributes.axes.length === 0 ? dims.map((_, d) => d) : attributes.axes
    normalAxes(named, dims.length)
    if (count !== named.length) mismatch(`${count} sizes for ${named.length} axes`)
    const sizes = values === null ? null : requireSizes(values)
    const out: (number | null)[] = [...dims]
    for (const [i, axis] of named.entries()) out[normalAxis(axis, dims.length)] = sizes?.[i] ?? null
    return [result(dtype, out)]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    const reads = rowMajorStrides(x.dims)
    const writes = rowMajorStrides(y.dims)
    const margin = (outer: number, inner: number) => Math.max(0, Math.floor((outer - inner) / 2))
    ;(y.data as Float32Array).fill((isBigInt(y.dtype) ? 0n : 0) as number)
    const cut = x.dims.map((dim, d) => margin(dim, y.dims[d] as number))
    const added = y.dims.map((dim, d) => margin(dim, x.dims[d] as number))
    copyBox(
      x.dims.map((dim, d) => Math.min(dim, y.dims[d] as number)),
      { data: x.data, start: placeOf(cut, reads), strides: reads },
      { data: y.data, start: placeOf(added, writes), strides: writes },
    )
  },
})
