// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import { flag, float, ints, oneOf } from '../attributes.ts'
import { rangeOf } from '../elements/integer-range.ts'
import { unsupported } from '../fault.ts'
import { defineOperator, type Operand } from '../operator.ts'
import {
  computedDtypes,
  isBigInt,
  product,
  requireDtype,
  required,
  result,
  rowMajorStrides,
} from '../support.ts'
import { coordinateModes, nearestModes } from './resize-coordinates.ts'
import { resizedBy, resizedDims } from './resize-shape.ts'
import { type AxisTaps, type Interpolation, resampleAxis, tapsOf } from './resize-taps.ts'

/**
 * A tensor resampled to other dims. Inputs: x, roi (one start for each axis, then one end), scales, sizes; one of the last two
 * is given. The results of integers are cut off.
 */
export const resize = defineOperator({
  name: 'Resize',
  inputCount: [1, 4],
  contents: [2, 3],
  attributes: {
    mode: oneOf(['nearest', 'linear', 'cubic']),
    coordinate_transformation_mode: oneOf(coordinateModes),
    nearest_mode: oneOf(nearestModes),
    cubic_coeff_a: float(-0.75),
    exclude_outside: flag(false),
    extrapolation_value: float(0),
    antialias: flag(false),
    axes: ints(),
    keep_aspect_ratio_policy: oneOf(['stretch', 'not_larger', 'not_smaller']),
  },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, computedDtypes)
    if (attributes.mode !== 'nearest') {
      if (x.dtype === 'int64' || x.dtype === 'uint64' || x.dtype === 'bool')
        unsupported(`${attributes.mode} interpolation of ${x.dtype}`)
      if (x.dtype !== 'float32' && attributes.mode === 'cubic')
        unsupported(`cubic interpolation of ${x.dtype}`)
    }
    const { coordinate_transformation_mode, extrapolation_value } = attributes
    if (coordinate_transformation_mode === 'tf_crop_and_resize' && !canHold(x.dtype, extrapolation_value))
      unsupported(`extrapolation_value ${extrapolation_value} in ${x.dtype}`)
    return [result(x.dtype, resizedDims(x.dims, inputs, attributes))]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const out = outputs[0] as Operand
    if (out.data.length === 0) return
    const interpolation: Interpolation = {
      mode: attributes.mode,
      coordinates: attributes.coordinate_transformation_mode,
      nearest: attributes.nearest_mode,
      cubicCoefficient: attributes.cubic_coeff_a,
      isOutsideExcluded: attributes.exclude_outside,
      isAntialiased: attributes.antialias,
    }
    const taps = resizedBy(x.dims, inputs, attributes).map((axis) =>
      axis === null ? null : tapsOf(axis, interpolation),
    )
    if (attributes.mode === 'nearest') pickElements(x, out, taps)
    else resample(x, out, taps)
    if (attributes.coordinate_transformation_mode === 'tf_crop_and_resize')
      fillOutside(out, taps, attributes.extrapolation_value)
  },
})

/** Whether a number, cut off to a whole one for integers, is within what a dtype holds. */
function canHold(dtype: DType, value: number): boolean {
  if (dtype === 'float32') return true
  const [least, most] = rangeOf(dtype)
  return Math.trunc(value) >= least && Math.trunc(value) <= most
}

/** Offsets of all combinations of indices of some dimensions, in row-major order. */
function offsetsOf(
  dims: readonly number[],
  strides: readonly number[],
  taps: readonly (AxisTaps | null)[],
): Float64Array {
  let offsets = new Float64Array(1)
  for (const [d, dim] of dims.entries()) {
    const index = taps[d]?.index
    const next = new Float64Array(offsets.length * dim)
    let to = 0
    for (const offset of offsets) {
      for (let i = 0; i < dim; i++) next[to++] = offset + (strides[d] as number) * (index?.[i] ?? i)
    }
    offsets = next
  }
  return offsets
}

/** Copies, for each element of the result, the one nearest to it. */
function pickElements(x: Operand, out: Operand, taps: readonly (AxisTaps | null)[]): void {
  const rank = x.dims.length
  // Dimensions at the end that stay as they are move as one row.
  let split = rank
  while (split > 0 && taps[split - 1] === null) split--
  const rowCount = product(x.dims.slice(split))
  const strides = rowMajorStrides(x.dims)
  const from = x.data as Float32Array
  const to = out.data as Float32Array
  if (rowCount > 1 || split === 0) {
    const starts = offsetsOf(out.dims.slice(0, split), strides, taps)
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i] as number
      to.set(from.subarray(start, start + rowCount), i * rowCount)
    }
    return
  }
  const rows = offsetsOf(out.dims.slice(0, split - 1), strides, taps)
  const index = (taps[split - 1] as AxisTaps).index
  let at = 0
  for (const row of rows) {
    for (let i = 0; i < index.length; i++) to[at++] = from[row + (index[i] as number)] as number
  }
}

/** Resamples one dimension after another. */
function resample(x: Operand, out: Operand, taps: readonly (AxisTaps | null)[]): void {
  const isFloat = x.dtype === 'float32'
  const dims = [...x.dims]
  let data: Float32Array | Float64Array = isFloat
    ? (x.data as Float32Array)
    : Float64Array.from(x.data as ArrayLike<number>)
  const open = taps.flatMap((it, d) => (it === null ? [] : [[d, it] as const]))
  for (const [d, own] of open) {
    const sizes = [product(dims.slice(0, d)), dims[d] as number, product(dims.slice(d + 1))] as const
    dims[d] = out.dims[d] as number
    const count = product(dims)
    const isLast = d === open.at(-1)?.[0]
    const next: Float32Array | Float64Array = !isFloat
      ? new Float64Array(count)
      : isLast
        ? (out.data as Float32Array)
        : new Float32Array(count)
    resampleAxis(data, next, sizes, own)
    data = next
  }
  const to = out.data as Float32Array
  if (!isFloat) for (let i = 0; i < to.length; i++) to[i] = Math.trunc(data[i] as number)
  else if (open.length === 0) to.set(data)
}

/** Writes one value wherever a coordinate lies outside. */
function fillOutside(out: Operand, taps: readonly (AxisTaps | null)[], value: number): void {
  const strides = rowMajorStrides(out.dims)
  const filler = (isBigInt(out.dtype) ? BigInt(Math.trunc(value)) : value) as never
  const to = out.data as TensorData & { fill(value: never, start: number, end: number): void }
  for (const [d, own] of taps.entries()) {
    if (own === null) continue
    const inner = strides[d] as number
    for (let at = 0, i = 0; at < to.length; at += inner, i = (i + 1) % own.outside.length) {
      if (own.outside[i] === 1) to.fill(filler, at, at + inner)
    }
  }
}
