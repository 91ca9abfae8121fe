// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, required, result, rowMajorStrides, showDims } from '../support.ts'
import { copyBox } from './copy-box.ts'
import { integerList, requireSizes } from './lists.ts'

/** Equal parts. Only where their number is an attribute may the last one be smaller. */
function equalParts(size: number, count: number, isNamed: boolean): number[] {
  const part = Math.ceil(size / count)
  const last = size - part * (count - 1)
  if (last < 0 || (last < part && !isNamed))
    mismatch(`a dimension of ${size} does not make ${count} equal parts`)
  return [...new Array<number>(count - 1).fill(part), last]
}

/**
 * Parts along an axis: of the sizes that the second input lists, or `num_outputs` equal ones; where that is 0, as many as
 * there are results.
 */
export const split = defineOperator({
  name: 'Split',
  inputCount: [1, 2],
  outputCount: [1, 1024],
  attributes: { axis: int(0), num_outputs: int(0) },
  contents: [1],
  infer({ inputs, outputCount, attributes }) {
    const { dtype, dims } = required(inputs, 0)
    const axis = normalAxis(attributes.axis, dims.length)
    const size = dims[axis] as number
    const list = integerList(inputs, 1)
    const count = list?.count ?? (attributes.num_outputs || outputCount)
    // More parts than results would be left unsaid, and cost memory: a program has no use for them.
    if (count !== outputCount) mismatch(`${count} parts for ${outputCount} results`)
    const sizes: readonly (number | null)[] =
      list === null
        ? equalParts(size, count, attributes.num_outputs > 0)
        : (list.values ?? new Array<null>(count).fill(null))
    if (list?.values != null && requireSizes(list.values).reduce((a, b) => a + b, 0) !== size) {
      mismatch(`parts of ${showDims(list.values)} do not make up a dimension of ${size}`)
    }
    return sizes.map((part) => {
      const partDims: (number | null)[] = [...dims]
      partDims[axis] = part
      return result(dtype, partDims)
    })
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const axis = normalAxis(attributes.axis, x.dims.length)
    const reads = rowMajorStrides(x.dims)
    let start = 0
    for (const { dims, data } of outputs) {
      copyBox(
        dims,
        { data: x.data, start, strides: reads },
        { data, start: 0, strides: rowMajorStrides(dims) },
      )
      start += (dims[axis] as number) * (reads[axis] as number)
    }
  },
})
