// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { product, required, requireSameDtype, result, showDims } from '../support.ts'
import { blockDims, blockPlaces } from './gather-nd.ts'
import { combineOf, scatterReduction } from './scatter-reduction.ts'

/** A copy of the data with each update written over the block that its tuple of indices names. */
export const scatterNd = defineOperator({
  name: 'ScatterND',
  inputCount: [3, 3],
  attributes: { reduction: scatterReduction },
  infer({ inputs, attributes: { reduction } }) {
    const data = required(inputs, 0)
    const indices = required(inputs, 1)
    const updates = required(inputs, 2)
    requireSameDtype(data.dtype, updates.dtype)
    combineOf(reduction, data.dtype)
    const expected = [...indices.dims.slice(0, -1), ...blockDims(data, indices, 0)]
    if (updates.dims.length !== expected.length || updates.dims.some((dim, d) => dim !== expected[d])) {
      mismatch(`updates are ${showDims(updates.dims)}, expected ${showDims(expected)}`)
    }
    return [result(data.dtype, data.dims)]
  },
  run({ inputs, outputs, attributes: { reduction } }) {
    const data = required(inputs, 0)
    const indices = required(inputs, 1)
    const updates = required(inputs, 2).data as Float32Array
    const out = required(outputs, 0).data as Float32Array
    out.set(data.data as Float32Array)
    const size = product(blockDims(data, indices, 0))
    const places = blockPlaces(data, indices, 0)
    const combine = combineOf(reduction, data.dtype)
    for (let n = 0; n < places.length; n++) {
      const to = places[n] as number
      const from = n * size
      if (reduction === 'none') out.set(updates.subarray(from, from + size), to)
      else
        for (let i = 0; i < size; i++)
          out[to + i] = combine(out[to + i] as number, updates[from + i] as number)
    }
  },
})
