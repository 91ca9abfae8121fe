// SPDX-License-Identifier: Apache-2.0
import { formatDims, sameDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

/** A box of the input, given its first element, its step per dimension and its size; the whole costs nothing. */
export function emitSlice(
  ctx: NodeContext,
  x: Value,
  starts: readonly number[],
  steps: readonly number[],
  dims: readonly Dim[],
): Value {
  const isWhole = sameDims(x.dims, dims) && starts.every((it) => it === 0) && steps.every((it) => it === 1)
  return isWhole ? x : ctx.emit('slice', { starts, steps }, [x], dims)
}

/** First index and count of `start:end:step` along a dimension, by the rules of ONNX and NumPy. */
function sliceRange(
  size: number,
  start: number,
  end: number,
  step: number,
): { first: number; count: number } {
  const fromEnd = (index: number) => (index < 0 ? index + size : index)
  const clamp = (index: number, low: number, high: number) => Math.min(Math.max(index, low), high)
  if (step > 0) {
    const first = clamp(fromEnd(start), 0, size)
    return { first, count: Math.max(0, Math.ceil((clamp(fromEnd(end), 0, size) - first) / step)) }
  }
  const first = clamp(fromEnd(start), -1, size - 1)
  return { first, count: Math.max(0, Math.ceil((clamp(fromEnd(end), -1, size - 1) - first) / step)) }
}

/** starts, ends, axes and steps are attributes before opset 10 and constant inputs since. */
export function importSlice(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const rank = x.dims.length
  const part = (index: number, name: string): readonly number[] | undefined => {
    if (ctx.opset < 10) return ctx.attributes.ints(name)
    return ctx.optional(index) === null ? undefined : ctx.numbers(index, name)
  }
  const starts = part(1, 'starts')
  const ends = part(2, 'ends')
  if (starts === undefined || ends === undefined || starts.length !== ends.length)
    ctx.mismatch('starts and ends differ')
  const axes = (part(3, 'axes') ?? starts.map((_, axis) => axis)).map((axis) => ctx.axis(axis, rank))
  const steps = ctx.opset < 10 ? undefined : part(4, 'steps')
  if (axes.length !== starts.length || new Set(axes).size !== axes.length)
    ctx.mismatch('axes do not go with starts')
  const first = new Array<number>(rank).fill(0)
  const step = new Array<number>(rank).fill(1)
  const dims = [...x.dims]
  for (const [i, axis] of axes.entries()) {
    const stride = steps?.[i] ?? 1
    if (stride === 0) ctx.mismatch('a step is 0')
    const start = starts[i] as number
    const end = ends[i] as number
    const size = x.dims[axis] as Dim
    if (typeof size === 'string') {
      // The whole of a symbolic dimension is as good as no slice at all.
      if (start === 0 && stride === 1 && end >= 2 ** 31 - 1) continue
      ctx.unsupported(`slices the symbolic dimension ${JSON.stringify(size)}`)
    }
    const range = sliceRange(size, start, end, stride)
    first[axis] = range.first
    step[axis] = range.count <= 1 ? 1 : Math.max(-(2 ** 31), Math.min(stride, 2 ** 31 - 1))
    dims[axis] = range.count
  }
  return emitSlice(ctx, x, first, step, dims)
}

/** Sizes come from `split`, or are equal: the last one smaller where that does not come out even. */
export function importSplit(ctx: NodeContext): readonly Value[] {
  const x = ctx.input(0)
  const axis = ctx.axis(ctx.attributes.int('axis', 0), x.dims.length)
  const size = x.dims[axis]
  if (typeof size !== 'number') ctx.unsupported(`splits the symbolic dimension ${JSON.stringify(size)}`)
  const given =
    ctx.opset < 13
      ? ctx.attributes.ints('split')
      : ctx.optional(1) === null
        ? undefined
        : ctx.numbers(1, 'split')
  const count = ctx.attributes.int('num_outputs', ctx.outputCount)
  if (count !== ctx.outputCount || count < 1)
    ctx.mismatch(`${count} outputs are asked for, ${ctx.outputCount} named`)
  const part = Math.ceil(size / count)
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.min(part, size - i * part))
  if (
    sizes.length !== ctx.outputCount ||
    sizes.some((it) => it < 0) ||
    sizes.reduce((a, b) => a + b, 0) !== size
  ) {
    ctx.mismatch(`split ${formatDims(sizes)} of dimension ${size} into ${ctx.outputCount}`)
  }
  const ones = x.dims.map(() => 1)
  let start = 0
  return sizes.map((it) => {
    const value = emitSlice(
      ctx,
      x,
      x.dims.map((_, i) => (i === axis ? start : 0)),
      ones,
      x.dims.with(axis, it),
    )
    start += it
    return value
  })
}

/** Constant indices: numbers of a known shape, or one slice per index. */
export function importGather(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const axis = ctx.axis(ctx.attributes.int('axis', 0), x.dims.length)
  const size = x.dims[axis]
  if (typeof size !== 'number')
    ctx.unsupported(`gathers along the symbolic dimension ${JSON.stringify(size)}`)
  const indices = ctx.numbers(1, 'indices').map((index) => ctx.axis(index, size))
  const indexDims = ctx.input(1).dims
  if (indices.length > 64) ctx.unsupported(`gathers ${indices.length} slices; up to 64 are supported`)
  const ones = x.dims.map(() => 1)
  const slices = indices.map((index) =>
    emitSlice(
      ctx,
      x,
      x.dims.map((_, i) => (i === axis ? index : 0)),
      ones,
      x.dims.with(axis, 1),
    ),
  )
  const joined =
    slices.length === 1
      ? (slices[0] as Value)
      : ctx.emit('concat', { axis }, slices, x.dims.with(axis, slices.length))
  return ctx.reshape(joined, [...x.dims.slice(0, axis), ...indexDims, ...x.dims.slice(axis + 1)])
}
