// SPDX-License-Identifier: Apache-2.0
import { oneOf } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType, type RunCall } from '../operator.ts'
import {
  isBigInt,
  normalAxes,
  normalAxis,
  product,
  required,
  requireSameDtype,
  result,
  rowMajorStrides,
} from '../support.ts'
import { copyBox, placeOf } from './copy-box.ts'
import { integerList, requiredList } from './lists.ts'

interface Margin {
  readonly before: number
  readonly after: number
}

/** What is added to each dimension, or, where negative, cut off; null where that is not known yet. */
function marginsOf(inputs: readonly (OperandType | null)[]): (Margin | null)[] {
  const { dims } = required(inputs, 0)
  const pads = requiredList(inputs, 1)
  const given = integerList(inputs, 3)
  const count = given?.count ?? dims.length
  if (pads.count !== 2 * count) mismatch(`${pads.count} pads for ${count} axes`)
  const named = given === null ? dims.map((_, d) => d) : given.values
  if (named === null) return dims.map(() => null)
  normalAxes(named, dims.length)
  const margins: (Margin | null)[] = dims.map(() => ({ before: 0, after: 0 }))
  for (const [i, name] of named.entries()) {
    const axis = normalAxis(name, dims.length)
    const [before, after] = [pads.values?.[i], pads.values?.[count + i]]
    margins[axis] = before === undefined || after === undefined ? null : { before, after }
  }
  return margins
}

/** Index that a mode takes for one beyond 0 … size-1. */
const beyond = {
  edge: (index: number, size: number) => Math.min(Math.max(index, 0), size - 1),
  wrap: (index: number, size: number) => ((index % size) + size) % size,
  reflect(index: number, size: number) {
    if (size === 1) return 0
    const period = 2 * (size - 1)
    const at = ((index % period) + period) % period
    return at < size ? at : period - at
  },
}

function padConstant({ inputs, outputs }: RunCall<unknown>, margins: readonly Margin[]): void {
  const x = required(inputs, 0)
  const y = required(outputs, 0)
  const value = inputs[2]?.data[0] ?? (isBigInt(y.dtype) ? 0n : 0)
  ;(y.data as Float32Array).fill(value as number)
  const reads = rowMajorStrides(x.dims)
  const writes = rowMajorStrides(y.dims)
  copyBox(
    x.dims.map((dim, d) => {
      const { before, after } = margins[d] as Margin
      return Math.max(0, dim + Math.min(0, before) + Math.min(0, after))
    }),
    {
      data: x.data,
      start: placeOf(
        margins.map((it) => Math.max(0, -it.before)),
        reads,
      ),
      strides: reads,
    },
    {
      data: y.data,
      start: placeOf(
        margins.map((it) => Math.max(0, it.before)),
        writes,
      ),
      strides: writes,
    },
  )
}

/** Places in the input that the indices of a dimension of the result stand for. */
function placesOf(
  mode: keyof typeof beyond,
  { before, after }: Margin,
  size: number,
  stride: number,
): Int32Array {
  // What a negative pad cuts off is gone before anything is added.
  const cut = Math.max(0, -before)
  const left = size - cut - Math.max(0, -after)
  const added = Math.max(0, before)
  const indexOf = beyond[mode]
  return Int32Array.from(
    { length: size + before + after },
    (_, i) => (cut + indexOf(i - added, left)) * stride,
  )
}

function padRepeated({ inputs, outputs }: RunCall<unknown>, places: readonly Int32Array[]): void {
  const source = required(inputs, 0).data as Float32Array
  const target = required(outputs, 0).data as Float32Array
  let to = 0
  const fill = (d: number, from: number): void => {
    const own = places[d] as Int32Array
    if (d < places.length - 1) for (let i = 0; i < own.length; i++) fill(d + 1, from + (own[i] as number))
    else for (let i = 0; i < own.length; i++) target[to++] = source[from + (own[i] as number)] as number
  }
  if (places.length === 0) target[0] = source[0] as number
  else fill(0, 0)
}

/**
 * Adds margins around a tensor. Inputs after the data: pads (all befores, then all afters; negative ones cut off), the value
 * to pad with (0 if left out), axes (all if left out). `reflect` and `wrap` go back and forth, or around, as often as needed.
 */
export const pad = defineOperator({
  name: 'Pad',
  inputCount: [2, 4],
  attributes: { mode: oneOf(['constant', 'reflect', 'edge', 'wrap']) },
  contents: [1, 3],
  infer({ inputs, attributes: { mode } }) {
    const { dtype, dims } = required(inputs, 0)
    const value = inputs[2] ?? null
    if (value !== null) {
      requireSameDtype(dtype, value.dtype)
      if (product(value.dims) !== 1) mismatch('the value to pad with is a scalar')
    }
    const out = marginsOf(inputs).map((margin, d) => {
      if (margin === null) return null
      const { before, after } = margin
      const dim = dims[d] as number
      const left = dim + Math.min(0, before) + Math.min(0, after)
      if (left < 0) mismatch(`pads cut off more than a dimension of ${dim} has`)
      if (mode !== 'constant' && left === 0 && dim + before + after > 0) {
        mismatch(`a dimension of ${left} has nothing to repeat`)
      }
      return dim + before + after
    })
    return [result(dtype, out)]
  },
  run(call) {
    const { mode } = call.attributes
    const margins = marginsOf(call.inputs).map((it) => it ?? mismatch('the elements of an input are missing'))
    const { dims } = required(call.inputs, 0)
    if (mode === 'constant') padConstant(call, margins)
    else if (product(required(call.outputs, 0).dims) > 0) {
      const strides = rowMajorStrides(dims)
      padRepeated(
        call,
        margins.map((margin, d) => placesOf(mode, margin, dims[d] as number, strides[d] as number)),
      )
    }
  },
})
