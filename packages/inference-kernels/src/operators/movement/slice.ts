// SPDX-License-Identifier: Apache-2.0
import { badValue, mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { normalAxes, normalAxis, required, result, rowMajorStrides } from '../support.ts'
import { copyBox, placeOf } from './copy-box.ts'
import { integerList, requiredList } from './lists.ts'

/** The part of a dimension that `start:end:step` names, by the rules of ONNX. */
export interface SliceRange {
  readonly first: number
  readonly step: number
  readonly count: number
}

const clamp = (index: number, low: number, high: number) => Math.min(Math.max(index, low), high)

export function sliceRange(size: number, start: number, end: number, step: number): SliceRange {
  if (step === 0) badValue('a step is 0')
  const fromEnd = (index: number) => (index < 0 ? index + size : index)
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1]
  // A start is held within the dimension also going backward, where NumPy lets one before it take nothing.
  const first = clamp(fromEnd(start), 0, high)
  const count = Math.max(0, Math.ceil((clamp(fromEnd(end), low, high) - first) / step))
  // Where nothing or one element is taken, any step would do: those that are beyond the size are not worth keeping.
  return { first: count === 0 ? 0 : first, step: count <= 1 ? 1 : step, count }
}

/** A range for each dimension; null where it is not known yet. */
function rangesOf(inputs: readonly (OperandType | null)[]): (SliceRange | null)[] {
  const { dims } = required(inputs, 0)
  const starts = requiredList(inputs, 1)
  const ends = requiredList(inputs, 2)
  const given = integerList(inputs, 3)
  const steps = integerList(inputs, 4)
  for (const list of [ends, given, steps]) {
    if (list !== null && list.count !== starts.count)
      mismatch('starts, ends, axes and steps differ in length')
  }
  const named = given === null ? Array.from({ length: starts.count }, (_, i) => i) : given.values
  if (named === null) return dims.map(() => null)
  normalAxes(named, dims.length)
  const ranges: (SliceRange | null)[] = dims.map((count) => ({ first: 0, step: 1, count }))
  for (const [i, name] of named.entries()) {
    const axis = normalAxis(name, dims.length)
    const start = starts.values?.[i]
    const end = ends.values?.[i]
    const step = steps === null ? 1 : steps.values?.[i]
    const isKnown = start !== undefined && end !== undefined && step !== undefined
    ranges[axis] = isKnown ? sliceRange(dims[axis] as number, start, end, step) : null
  }
  return ranges
}

/** A part of a tensor. Inputs after the data: starts, ends, axes (all in order if left out), steps (1 if left out). */
export const slice = defineOperator({
  name: 'Slice',
  inputCount: [3, 5],
  contents: [1, 2, 3, 4],
  infer({ inputs }) {
    const ranges = rangesOf(inputs)
    return [
      result(
        required(inputs, 0).dtype,
        ranges.map((range) => range?.count ?? null),
      ),
    ]
  },
  run({ inputs, outputs }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    const ranges = rangesOf(inputs).map((range) => range ?? mismatch('the elements of an input are missing'))
    const strides = rowMajorStrides(x.dims)
    const start = placeOf(
      ranges.map(({ first }) => first),
      strides,
    )
    const reads = strides.map((stride, d) => stride * (ranges[d] as SliceRange).step)
    copyBox(
      y.dims,
      { data: x.data, start, strides: reads },
      { data: y.data, start: 0, strides: rowMajorStrides(y.dims) },
    )
  },
})
