// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import { defineOperator } from '../operator.ts'
import { normalAxis, product, requireDtype, required, result, rowMajorStrides, showDims } from '../support.ts'
import { copyBox } from './copy-box.ts'

/** Sequences in a batch, each turned around up to its length, which the second input gives. */
export const reverseSequence = defineOperator({
  name: 'ReverseSequence',
  inputCount: [2, 2],
  attributes: { batch_axis: int(1), time_axis: int(0) },
  infer({ inputs, attributes: { batch_axis: batchAxis, time_axis: timeAxis } }) {
    const { dtype, dims } = required(inputs, 0)
    const lengths = required(inputs, 1)
    requireDtype(lengths.dtype, ['int64', 'int32'])
    const batch = normalAxis(batchAxis, dims.length)
    if (batch === normalAxis(timeAxis, dims.length)) mismatch('batch and time are the same axis')
    if (lengths.dims.length !== 1 || lengths.dims[0] !== dims[batch]) {
      mismatch(`lengths ${showDims(lengths.dims)} do not go with ${showDims(dims)}`)
    }
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes: { batch_axis: batchAxis, time_axis: timeAxis } }) {
    const { data, dims } = required(inputs, 0)
    const lengths = required(inputs, 1).data
    const out = required(outputs, 0).data
    const batch = normalAxis(batchAxis, dims.length)
    const time = normalAxis(timeAxis, dims.length)
    const size = dims[time] as number
    const strides = rowMajorStrides(dims)
    const [batchStride, timeStride] = [strides[batch], strides[time]] as [number, number]
    const copy = (b: number, from: number, step: number, to: number, count: number) =>
      copyBox(
        dims.with(batch, 1).with(time, count),
        { data, start: b * batchStride + from * timeStride, strides: strides.with(time, step * timeStride) },
        { data: out, start: b * batchStride + to * timeStride, strides },
      )
    if (product(dims) === 0) return
    for (let b = 0; b < (dims[batch] as number); b++) {
      const length = Number(lengths[b])
      if (!(length >= 0 && length <= size)) badValue('a sequence is longer than the time axis')
      copy(b, length - 1, -1, 0, length)
      copy(b, length, 1, length, size - length)
    }
  },
})
