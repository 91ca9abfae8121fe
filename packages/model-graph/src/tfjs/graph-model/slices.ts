// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../../graph/dims.ts'
import type { Dim, Value } from '../../graph/graph.ts'
import { type Element, elementsOf, listOf, sum, toEnd, whereEqual } from './lists.ts'
import type { TfOp } from './op.ts'

/** A part of one dimension. */
interface AxisSlice {
  readonly axis: number
  readonly start: Element
  readonly end: Element
  readonly step: number
}

function sliced(op: TfOp, x: Value, slices: readonly AxisSlice[]): Value {
  if (slices.length === 0) return x
  return op.call('Slice', [
    x,
    listOf(
      op,
      slices.map((it) => it.start),
    ),
    listOf(
      op,
      slices.map((it) => it.end),
    ),
    op.integers(slices.map((it) => it.axis)),
    op.integers(slices.map((it) => it.step)),
  ])
}

/** A box given by where it begins and its size; size -1 is up to the end. */
export function slice(op: TfOp): Value {
  const x = op.input(0)
  const begins = elementsOf(op, op.input(1))
  const sizes = elementsOf(op, op.input(2))
  if (begins.length !== x.dims.length || sizes.length !== begins.length) {
    op.mismatch(`${begins.length} begins and ${sizes.length} sizes for ${formatDims(x.dims)}`)
  }
  const slices = begins.map((start, axis): AxisSlice => {
    const size = sizes[axis] as Element
    const dim = x.dims[axis]
    // ONNX would count from the end, or cut off what is beyond it.
    const isBefore = (typeof start === 'number' && start < 0) || (typeof size === 'number' && size < -1)
    const isBeyond = typeof start === 'number' && typeof size === 'number' && typeof dim === 'number'
    if (isBefore || (isBeyond && start + Math.max(size, 0) > dim)) {
      op.mismatch(`${size} elements at ${start} of dimension ${axis} of ${formatDims(x.dims)}`)
    }
    return { axis, start, end: whereEqual(op, size, -1, toEnd, sum(op, start, size)), step: 1 }
  })
  return sliced(op, x, slices)
}

interface SliceSpec {
  readonly slices: AxisSlice[]
  /** Dimensions that go away, those of them whose index only a query tells, and places of new dimensions. */
  readonly removed: number[]
  readonly picked: { readonly axis: number; readonly index: Value }[]
  readonly added: number[]
}

/** Whether a slice that goes backward begins before the first element: it is empty here, ONNX's has the first one. */
function isBeforeFirst(op: TfOp, begin: Element, size: Dim): boolean {
  if (typeof begin === 'number' && begin >= -1) return false
  if (typeof begin !== 'number' || typeof size !== 'number')
    op.unsupported('a slice goes backward from where only a query tells')
  return begin + size < 0
}

/** Reads the masks, in which bit i is about entry i of begins, ends and strides. */
function readSpec(op: TfOp, xDims: readonly Dim[]): SliceSpec {
  const rank = xDims.length
  const begins = elementsOf(op, op.input(1))
  const ends = elementsOf(op, op.input(2))
  const steps = op.numbers(op.input(3), 'strides')
  if (begins.length !== ends.length || steps.length !== ends.length)
    op.mismatch('begins, ends and strides differ')
  const mask = (name: string) => {
    const bits = op.attributes.int(`${name}_mask`, 0)
    return (i: number) => i < 31 && ((bits >> i) & 1) === 1
  }
  const isEllipsis = mask('ellipsis')
  const isNew = mask('new_axis')
  const isShrunk = mask('shrink_axis')
  const isOpenBegin = mask('begin')
  const isOpenEnd = mask('end')
  const entries = [...begins.keys()]
  if (entries.filter(isEllipsis).length > 1) op.mismatch('there are several ellipses')
  const namedCount = entries.filter((i) => !isEllipsis(i) && !isNew(i)).length
  if (namedCount > rank) op.mismatch(`${namedCount} dimensions are sliced, there are ${rank}`)
  const spec: SliceSpec = { slices: [], removed: [], picked: [], added: [] }
  let axis = 0
  let outputAxis = 0
  for (const i of entries) {
    const begin = begins[i] as Element
    const step = steps[i] as number
    if (isEllipsis(i)) {
      outputAxis += rank - namedCount
      axis += rank - namedCount
      continue
    }
    if (isNew(i)) {
      spec.added.push(outputAxis++)
      continue
    }
    if (isShrunk(i)) {
      if (step <= 0) op.mismatch('one element is taken with a stride that goes back')
      if (typeof begin === 'number') {
        spec.removed.push(axis)
        spec.slices.push({ axis, start: begin, end: begin === -1 ? toEnd : begin + 1, step: 1 })
      } else spec.picked.push({ axis, index: begin })
    } else {
      if (step === 0) op.mismatch('a stride is 0')
      const start = isOpenBegin(i) ? (step > 0 ? 0 : toEnd) : begin
      const end = isOpenEnd(i) ? (step > 0 ? toEnd : -toEnd) : (ends[i] as Element)
      const isWhole = start === 0 && end === toEnd && step === 1
      if (step < 0 && isBeforeFirst(op, start, xDims[axis] as Dim))
        spec.slices.push({ axis, start: 0, end: 0, step: 1 })
      else if (!isWhole) spec.slices.push({ axis, start, end, step })
      outputAxis++
    }
    axis++
  }
  return spec
}

export function stridedSlice(op: TfOp): Value {
  const x = op.input(0)
  const { slices, removed, picked, added } = readSpec(op, x.dims)
  let result = sliced(op, x, slices)
  for (const { axis, index } of picked) result = op.call('Gather', [result, index], { axis })
  const gone = [...removed, ...picked.map((it) => it.axis)]
  if (gone.length > 0) result = op.squeeze(result, gone)
  return added.length === 0 ? result : op.unsqueeze(result, added)
}

/** Elements in reverse order along some dimensions. */
export function reversed(op: TfOp, x: Value, axes: readonly number[]): Value {
  const slices = axes.map((axis): AxisSlice => {
    return { axis: op.axis(axis, x.dims.length), start: toEnd, end: -toEnd, step: -1 }
  })
  return sliced(op, x, slices)
}

/** Mirrored elements on both sides of a dimension, with the outermost one itself (symmetric). */
export function symmetricPad(op: TfOp, x: Value, pads: readonly number[]): Value {
  let result = x
  for (let axis = 0; axis < x.dims.length; axis++) {
    const before = pads[axis] as number
    const after = pads[x.dims.length + axis] as number
    if (before === 0 && after === 0) continue
    const size = op.size(x, axis)
    if (before < 0 || after < 0 || before > size || after > size) op.mismatch('pads are beyond the dimension')
    const parts: Value[] = [result]
    if (before > 0) parts.unshift(sliced(op, result, [{ axis, start: before - 1, end: -toEnd, step: -1 }]))
    if (after > 0) {
      const end = after === size ? -toEnd : size - after - 1
      parts.push(sliced(op, result, [{ axis, start: size - 1, end, step: -1 }]))
    }
    result = op.call('Concat', parts, { axis })
  }
  return result
}
