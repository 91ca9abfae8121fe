// SPDX-License-Identifier: Apache-2.0
import { badValue, mismatch } from '../fault.ts'
import type { OperandType } from '../operator.ts'
import { knownNumbers, normalAxis, product, showDims } from '../support.ts'
import type { ResizedAxis } from './resize-coordinates.ts'

export interface ResizeAttributes {
  readonly axes: readonly number[]
  readonly coordinate_transformation_mode: string
  readonly keep_aspect_ratio_policy: 'stretch' | 'not_larger' | 'not_smaller'
}

type Inputs = readonly (OperandType | null)[]

/** An input that is there and has elements. */
function listAt(inputs: Inputs, index: number): OperandType | null {
  const input = inputs[index] ?? null
  return input === null || product(input.dims) === 0 ? null : input
}

function requireLength(list: OperandType, length: number, what: string): void {
  if (list.dims.length !== 1 || list.dims[0] !== length)
    mismatch(`${what} have shape ${showDims(list.dims)}, expected [${length}]`)
}

/** Axes in the order in which scales and sizes name them. */
function resizedAxes(axes: readonly number[], rank: number): readonly number[] {
  const all = axes.length === 0 ? Array.from({ length: rank }, (_, d) => d) : axes
  const normal = all.map((axis) => normalAxis(axis, rank))
  if (new Set(normal).size !== normal.length) mismatch(`an axis is named twice in ${showDims(axes)}`)
  return normal
}

/** Sizes and scales of each axis in turn; null where they are not known yet. */
function askedSizes(
  inputs: Inputs,
  sizesBefore: readonly number[],
  policy: ResizeAttributes['keep_aspect_ratio_policy'],
): readonly { readonly count: number; readonly scale: number }[] | null {
  if (sizesBefore.length === 0) return []
  const scales = listAt(inputs, 2)
  const sizes = listAt(inputs, 3)
  if ((scales === null) === (sizes === null)) mismatch('either scales or sizes have to be given')
  if (scales !== null) {
    requireLength(scales, sizesBefore.length, 'scales')
    return (
      knownNumbers(scales)?.map((scale, i) => {
        if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) badValue('a scale is not a positive number')
        return { scale, count: Math.floor(Math.fround((sizesBefore[i] as number) * scale)) }
      }) ?? null
    )
  }
  requireLength(sizes as OperandType, sizesBefore.length, 'sizes')
  const counts = knownNumbers(sizes)
  if (counts === null) return null
  if (counts.some((count) => count < 0)) badValue('a size is negative')
  const own = counts.map((count, i) => Math.fround(count / (sizesBefore[i] as number)))
  if (policy === 'stretch') return counts.map((count, i) => ({ count, scale: own[i] as number }))
  if (sizesBefore.includes(0)) mismatch('an empty dimension has no aspect ratio')
  const scale = policy === 'not_larger' ? Math.min(...own) : Math.max(...own)
  return sizesBefore.map((size) => ({ scale, count: Math.floor(Math.fround(scale * size) + 0.5) }))
}

/** Dims of the result; null for those that are not known yet. */
export function resizedDims(
  x: readonly number[],
  inputs: Inputs,
  attributes: ResizeAttributes,
): readonly (number | null)[] {
  const axes = resizedAxes(attributes.axes, x.length)
  const before = axes.map((axis) => x[axis] as number)
  const asked = askedSizes(inputs, before, attributes.keep_aspect_ratio_policy)
  const dims: (number | null)[] = [...x]
  for (const [i, axis] of axes.entries()) {
    const count = asked === null ? null : (asked[i]?.count ?? 0)
    if (count !== null && !Number.isSafeInteger(count)) badValue('a dimension would be too large')
    if (count !== null && count > 0 && x[axis] === 0) mismatch(`an empty dimension cannot become ${count}`)
    dims[axis] = count
  }
  return dims
}

/** How each dimension is resized; null for those that stay as they are. */
export function resizedBy(
  x: readonly number[],
  inputs: Inputs,
  attributes: ResizeAttributes,
): readonly (ResizedAxis | null)[] {
  const axes = resizedAxes(attributes.axes, x.length)
  const before = axes.map((axis) => x[axis] as number)
  const asked = askedSizes(inputs, before, attributes.keep_aspect_ratio_policy)
  const isCropped = attributes.coordinate_transformation_mode === 'tf_crop_and_resize'
  const region = isCropped ? listAt(inputs, 1) : null
  if (isCropped && region === null) mismatch('roi is missing')
  if (region !== null) requireLength(region, 2 * axes.length, 'roi')
  const bounds = knownNumbers(region)
  if (bounds?.some((it) => !Number.isFinite(it))) badValue('an element of roi is not finite')
  const list: (ResizedAxis | null)[] = x.map(() => null)
  for (const [i, axis] of axes.entries()) {
    const { count, scale } = asked?.[i] ?? { count: 0, scale: 1 }
    const size = x[axis] as number
    const [start, end] = [bounds?.[i] ?? 0, bounds?.[axes.length + i] ?? 1]
    const isSame = count === size && scale === 1 && start === 0 && end === 1
    list[axis] = isSame ? null : { size, count, scale, start, end }
  }
  return list
}
