// SPDX-License-Identifier: Apache-2.0
import { float, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { product, requireDtype, required, result, showDims } from '../support.ts'

/** Local response normalization: x / (bias + alpha / size · sum of the squares of `size` channels around)^beta. */
export const lrn = defineOperator({
  name: 'LRN',
  inputCount: [1, 1],
  attributes: { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: int(0) },
  infer({ inputs, attributes: { size } }) {
    const { dtype, dims } = required(inputs, 0)
    requireDtype(dtype, ['float32'])
    if (dims.length < 2) mismatch(`input has shape ${showDims(dims)}, expected [N, C, …]`)
    if (size < 1) mismatch(`size ${size}`)
    return [result(dtype, dims)]
  },
  run({ inputs, outputs, attributes: { alpha, beta, bias, size } }) {
    const { data, dims } = required(inputs, 0)
    const x = data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const [batch, channels] = dims as [number, number]
    const pixels = product(dims.slice(2))
    const before = Math.floor((size - 1) / 2)
    const after = Math.ceil((size - 1) / 2)
    const squares = new Float64Array(pixels)
    for (let n = 0; n < batch; n++) {
      const entry = n * channels * pixels
      for (let c = 0; c < channels; c++) {
        squares.fill(0)
        const last = Math.min(c + after, channels - 1)
        for (let near = Math.max(c - before, 0); near <= last; near++) {
          const from = entry + near * pixels
          for (let i = 0; i < pixels; i++) squares[i] = (squares[i] as number) + (x[from + i] as number) ** 2
        }
        const at = entry + c * pixels
        for (let i = 0; i < pixels; i++) {
          out[at + i] = (x[at + i] as number) / (bias + (alpha / size) * (squares[i] as number)) ** beta
        }
      }
    }
  },
})
