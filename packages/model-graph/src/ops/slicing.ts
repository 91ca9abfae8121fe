// SPDX-License-Identifier: Apache-2.0
import { sliceRange } from '@mlcapsule/inference-kernels/program'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { emitSlice, kernelDims } from './moving.ts'

/** starts, ends and axes are attributes before opset 10; they and steps are inputs since. */
export function importSlice(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const list = (name: string) => {
    const values = ctx.attributes.ints(name)
    return values === undefined ? null : ctx.integers(values)
  }
  const [starts, ends, axes, steps] =
    ctx.opset < 10
      ? [list('starts'), list('ends'), list('axes'), null]
      : [ctx.input(1), ctx.input(2), ctx.optional(3), ctx.optional(4)]
  if (starts === null || ends === null) ctx.mismatch('starts or ends are missing')
  const inputs = [x, starts, ends, axes, steps] as const
  return sliceByKernels(ctx, inputs) ?? ctx.operator('Slice', inputs)
}

/** Numbers of a list; null where one of them is not known, or not a number. */
function numbersOf(ctx: NodeContext, value: Value): readonly number[] | null {
  const known = ctx.known(value)
  return known?.every((it) => typeof it === 'number') ? (known as readonly number[]) : null
}

function sliceByKernels(
  ctx: NodeContext,
  inputs: readonly [x: Value, starts: Value, ends: Value, axes: Value | null, steps: Value | null],
): Value | null {
  const [x, startList, endList, axisList, stepList] = inputs
  const dims = kernelDims(ctx, 'Slice', inputs)
  const starts = numbersOf(ctx, startList)
  const ends = ctx.known(endList)
  const axes = axisList === null ? starts?.map((_, i) => i) : numbersOf(ctx, axisList)
  const steps = stepList === null ? starts?.map(() => 1) : numbersOf(ctx, stepList)
  if (dims === null || starts === null || ends === null || axes == null || steps == null) return null
  const first = x.dims.map(() => 0)
  const stride = x.dims.map(() => 1)
  for (const [i, given] of axes.entries()) {
    const axis = ctx.axis(given, x.dims.length)
    const [start, step, size, end] = [starts[i], steps[i], x.dims[axis], ends[i]] as [
      number,
      number,
      Dim,
      Dim,
    ]
    if (typeof size === 'number' && typeof end === 'number') {
      const range = sliceRange(size, start, end, step)
      first[axis] = range.first
      stride[axis] = range.step
      continue
    }
    // The engine checks that the part lies within the dimension; that it is not cut short has to be sure here.
    const isAll = start === 0 && dims[axis] === size && typeof end === 'number' && end >= 2 ** 31 - 1
    const isUpToSymbol = start === 0 && dims[axis] === end
    const isFixed = start >= 0 && typeof end === 'number' && dims[axis] === end - start
    if (step !== 1 || !(isAll || isUpToSymbol || isFixed)) return null
    first[axis] = start
  }
  return emitSlice(ctx, x, first, stride, dims)
}

/** Sizes are an attribute before opset 13, an input since. Left out, they are equal. */
export function importSplit(ctx: NodeContext): readonly Value[] {
  const x = ctx.input(0)
  const axis = ctx.axis(ctx.attributes.int('axis', 0), x.dims.length)
  const given = ctx.opset < 13 ? ctx.attributes.ints('split') : undefined
  const sizes = given === undefined ? ctx.optional(1) : ctx.integers(given)
  const attributes = { axis, num_outputs: ctx.attributes.int('num_outputs', 0) }
  const types = ctx.resultTypes('Split', [x, sizes], attributes, ctx.outputCount)
  const parts = types.map(({ dims }) => dims)
  const fits =
    ctx.fitsKernels(x) &&
    x.constant === null &&
    (sizes === null || ctx.known(sizes) !== null) &&
    ![...parts, x.dims].flat().some((dim) => dim === 0 || isUnknown(dim)) &&
    parts.every((dims) => typeof dims[axis] === 'number')
  if (!fits) return ctx.operatorOutputs('Split', [x, sizes], attributes, ctx.outputCount)
  const ones = x.dims.map(() => 1)
  let start = 0
  return parts.map((dims) => {
    const starts = x.dims.map((_, d) => (d === axis ? start : 0))
    start += dims[axis] as number
    return emitSlice(ctx, x, starts, ones, dims)
  })
}

/** Constant indices as far from each other are a slice. */
export function importGather(ctx: NodeContext): Value {
  const inputs = [ctx.input(0), ctx.input(1)] as const
  const [x, indexValue] = inputs
  const axis = ctx.axis(ctx.attributes.int('axis', 0), x.dims.length)
  const dims = kernelDims(ctx, 'Gather', inputs, { axis })
  const size = x.dims[axis] as Dim
  const indices = numbersOf(ctx, indexValue)?.map((it) =>
    it < 0 && typeof size === 'number' ? it + size : it,
  )
  const first = indices?.[0]
  if (dims === null || indices === undefined || first === undefined || first < 0) {
    return ctx.operator('Gather', inputs, { axis })
  }
  const step = indices.length === 1 ? 1 : (indices[1] as number) - first
  if (step === 0 || indices.some((it, i) => it !== first + i * step)) {
    return ctx.operator('Gather', inputs, { axis })
  }
  const starts = x.dims.map((_, d) => (d === axis ? first : 0))
  const steps = x.dims.map((_, d) => (d === axis ? step : 1))
  return ctx.reshape(emitSlice(ctx, x, starts, steps, x.dims.with(axis, indices.length)), dims)
}
