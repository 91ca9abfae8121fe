// SPDX-License-Identifier: Apache-2.0
import { float } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { product, requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'

const parameters = ['scale', 'bias', 'mean', 'variance']

/**
 * scale · (x - mean) / sqrt(variance + epsilon) + bias with given statistics. The parameters are one per channel of
 * [N, C, …], or, as up to opset 8, one per element of a batch entry. A vector is a batch of one channel.
 */
export const batchNormalization = defineOperator({
  name: 'BatchNormalization',
  inputCount: [5, 5],
  attributes: { epsilon: float(1e-5) },
  infer({ inputs }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, ['float32'])
    if (x.dims.length === 0) mismatch('input is a scalar')
    const entry = x.dims.slice(1)
    const forms = [[entry[0] ?? 1], entry].map(showDims)
    for (const [i, name] of parameters.entries()) {
      const { dtype, dims } = required(inputs, i + 1)
      requireSameDtype('float32', dtype)
      if (!forms.includes(showDims(dims)) || showDims(dims) !== showDims(required(inputs, 1).dims))
        mismatch(`${name} has shape ${showDims(dims)}, expected ${forms[0]}`)
    }
    return [result('float32', x.dims)]
  },
  run({ inputs, outputs, attributes: { epsilon } }) {
    const x = required(inputs, 0)
    const data = x.data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const [scale, bias, mean, variance] = parameters.map((_, i) => required(inputs, i + 1).data) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    const isPerElement = required(inputs, 1).dims.length > 1
    const count = isPerElement ? product(x.dims.slice(1)) : (x.dims[1] ?? 1)
    const size = isPerElement ? 1 : product(x.dims.slice(2))
    if (out.length === 0) return
    for (let start = 0, c = 0; start < out.length; start += size, c = (c + 1) % count) {
      const factor = (scale[c] as number) / Math.sqrt((variance[c] as number) + epsilon)
      const center = mean[c] as number
      const term = bias[c] as number
      for (let i = start; i < start + size; i++) out[i] = ((data[i] as number) - center) * factor + term
    }
  },
})
