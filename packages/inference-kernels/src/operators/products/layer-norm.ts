// SPDX-License-Identifier: Apache-2.0
import { float, int } from '../attributes.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { normalAxis, product, requireDtype, required, result } from '../support.ts'
import { requireSpreadable, scaleAndShift } from './affine.ts'

const attributes = { axis: int(-1), epsilon: float(1e-5) }

/**
 * Normalizes over the dimensions from `axis` on, then scales and shifts. Also gives the means and the inverse standard
 * deviations, with dimensions of 1.
 */
export const layerNormalization = defineOperator({
  name: 'LayerNormalization',
  inputCount: [2, 3],
  outputCount: [1, 3],
  attributes,
  infer({ inputs, attributes: { axis } }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, ['float32'])
    const from = normalAxis(axis, x.dims.length)
    requireSpreadable(required(inputs, 1), x.dims, 'scale')
    requireSpreadable(inputs[2] ?? null, x.dims, 'bias')
    const statistics = result(
      'float32',
      x.dims.map((dim, d) => (d < from ? dim : 1)),
    )
    return [result('float32', x.dims), statistics, statistics]
  },
  run({ inputs, outputs, attributes: { axis, epsilon } }) {
    const x = required(inputs, 0)
    const data = x.data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const means = outputs[1]?.data as Float32Array | undefined
    const inverses = outputs[2]?.data as Float32Array | undefined
    const from = normalAxis(axis, x.dims.length)
    const rowCount = product(x.dims.slice(0, from))
    const size = product(x.dims.slice(from))
    for (let row = 0; row < rowCount; row++) {
      const start = row * size
      const { mean, inverse } = normalize(data, out, start, start + size, epsilon)
      if (means !== undefined) means[row] = mean
      if (inverses !== undefined) inverses[row] = inverse
    }
    scaleAndShift(out, x.dims, required(inputs, 1), inputs[2] ?? null)
  },
})

/** (x - mean) / sqrt(variance + epsilon) of the elements from `start` to `end`. */
export function normalize(
  x: Float32Array,
  out: Float32Array,
  start: number,
  end: number,
  epsilon: number,
): { readonly mean: number; readonly inverse: number } {
  let sum = 0
  for (let i = start; i < end; i++) sum += x[i] as number
  const mean = sum / (end - start)
  let squares = 0
  for (let i = start; i < end; i++) {
    const offset = (x[i] as number) - mean
    squares += offset * offset
  }
  const inverse = 1 / Math.sqrt(squares / (end - start) + epsilon)
  for (let i = start; i < end; i++) out[i] = ((x[i] as number) - mean) * inverse
  return { mean, inverse }
}

/** x / sqrt(mean of squares + epsilon) over the dimensions from `axis` on, then scaled. */
export const rmsNormalization = defineOperator({
  name: 'RMSNormalization',
  inputCount: [2, 2],
  attributes,
  infer({ inputs, attributes: { axis } }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, ['float32'])
    normalAxis(axis, x.dims.length)
    requireSpreadable(required(inputs, 1), x.dims, 'scale')
    return [result('float32', x.dims)]
  },
  run({ inputs, outputs, attributes: { axis, epsilon } }) {
    const x = required(inputs, 0)
    const data = x.data as Float32Array
    const out = (outputs[0] as Operand).data as Float32Array
    const from = normalAxis(axis, x.dims.length)
    const rowCount = product(x.dims.slice(0, from))
    const size = product(x.dims.slice(from))
    for (let start = 0; start < rowCount * size; start += size) {
      let squares = 0
      for (let i = start; i < start + size; i++) squares += (data[i] as number) ** 2
      const inverse = 1 / Math.sqrt(squares / size + epsilon)
      for (let i = start; i < start + size; i++) out[i] = (data[i] as number) * inverse
    }
    scaleAndShift(out, x.dims, required(inputs, 1), null)
  },
})
