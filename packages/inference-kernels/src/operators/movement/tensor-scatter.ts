// SPDX-License-Identifier: Apache-2.0
import { int, oneOf } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import {
  normalAxis,
  product,
  requireDtype,
  required,
  requireSameDtype,
  result,
  showDims,
} from '../support.ts'

/**
 * A copy of a cache, [batch, …], with an update written along an axis, from the index on that the third input gives for each
 * row of the batch (0 if left out). `circular` goes on at the start of the axis where the end is reached.
 */
export const tensorScatter = defineOperator({
  name: 'TensorScatter',
  inputCount: [2, 3],
  attributes: { axis: int(-2), mode: oneOf(['linear', 'circular']) },
  infer({ inputs, attributes }) {
    const cache = required(inputs, 0)
    const update = required(inputs, 1)
    requireSameDtype(cache.dtype, update.dtype)
    const axis = normalAxis(attributes.axis, cache.dims.length)
    if (axis === 0) mismatch('axis 0 is that of the batch')
    const isFitting =
      update.dims.length === cache.dims.length &&
      update.dims.every((dim, d) => (d === axis ? dim <= (cache.dims[d] as number) : dim === cache.dims[d]))
    if (!isFitting) mismatch(`update ${showDims(update.dims)} does not go with ${showDims(cache.dims)}`)
    const starts = inputs[2] ?? null
    if (starts !== null) {
      requireDtype(starts.dtype, ['int64', 'int32'])
      if (starts.dims.length !== 1 || starts.dims[0] !== cache.dims[0])
        mismatch('one index for each row of the batch')
    }
    return [result(cache.dtype, cache.dims)]
  },
  run({ inputs, outputs, attributes: { axis: given, mode } }) {
    const { data, dims } = required(inputs, 0)
    const update = required(inputs, 1)
    const axis = normalAxis(given, dims.length)
    const out = required(outputs, 0).data as Float32Array
    const source = update.data as Float32Array
    out.set(data as Float32Array)
    const [batch, size, count] = [dims[0], dims[axis], update.dims[axis]] as [number, number, number]
    const outer = product(dims.slice(1, axis))
    const inner = product(dims.slice(axis + 1))
    for (let b = 0; b < batch; b++) {
      const start = Number(inputs[2]?.data[b] ?? 0)
      const limit = mode === 'circular' ? size - 1 : size - count
      if (count > 0 && (start < 0 || start > limit)) badValue('an update leaves the cache')
      for (let o = 0; o < outer; o++) {
        const row = b * outer + o
        for (let s = 0; s < count; s++) {
          const from = (row * count + s) * inner
          out.set(source.subarray(from, from + inner), (row * size + ((start + s) % size)) * inner)
        }
      }
    }
  },
})
