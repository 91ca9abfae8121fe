// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import type { Operand, TensorType } from '../operator.ts'
import { broadcastAll, product, repeatStrides, requireSameDtype, showDims, walk } from '../support.ts'

/** Refuses a scale or a bias that does not broadcast to `dims`. */
export function requireSpreadable(operand: TensorType | null, dims: readonly number[], what: string): void {
  if (operand === null) return
  requireSameDtype('float32', operand.dtype)
  const spread = broadcastAll([dims, operand.dims])
  if (spread.length !== dims.length || spread.some((dim, d) => dim !== dims[d]))
    mismatch(`${what} of ${showDims(operand.dims)} does not broadcast to ${showDims(dims)}`)
}

/** The last dimensions of `dims` that an operand repeats as a whole, in elements; null where it does so differently. */
function periodOf(own: readonly number[], dims: readonly number[]): number | null {
  const first = own.findIndex((dim) => dim !== 1)
  const tail = first < 0 ? [] : own.slice(first)
  const isSuffix = tail.every((dim, d) => dim === dims[dims.length - tail.length + d])
  return isSuffix ? product(tail) : null
}

/** x · scale + bias in place, with both broadcast to x. */
export function scaleAndShift(
  x: Float32Array,
  dims: readonly number[],
  scale: Operand | null,
  bias: Operand | null,
): void {
  const factors = scale?.data as Float32Array | undefined
  const terms = bias?.data as Float32Array | undefined
  const factorPeriod = scale === null ? 1 : periodOf(scale.dims, dims)
  const termPeriod = bias === null ? 1 : periodOf(bias.dims, dims)
  if (factorPeriod !== null && termPeriod !== null) {
    for (let i = 0, f = 0, t = 0; i < x.length; i++) {
      let value = x[i] as number
      if (factors !== undefined) value *= factors[f] as number
      if (terms !== undefined) value += terms[t] as number
      x[i] = value
      if (++f === factorPeriod) f = 0
      if (++t === termPeriod) t = 0
    }
    return
  }
  const none = dims.map(() => 0)
  const strides = [scale, bias].map((it) => (it === null ? none : repeatStrides(it.dims, dims)))
  walk(dims, strides, (at, [f, t]) => {
    x[at] = (x[at] as number) * (factors?.[f as number] ?? 1) + (terms?.[t as number] ?? 0)
  })
}
