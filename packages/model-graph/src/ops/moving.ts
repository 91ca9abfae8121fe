// SPDX-License-Identifier: Apache-2.0
import type { AttributeValue } from '@mlcapsule/inference-kernels/program'
import { sameElementCount } from '../graph/dims.ts'
import { type Dim, isUnknown, type Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

type AttributeValues = Readonly<Record<string, AttributeValue>>

/**
 * Dims of an operator's result, if a kernel in C can move the first input there instead: they are numbers, not 0, or symbols
 * of an input. Null where it cannot, and where all operands are constant: then the operator gives a constant.
 */
export function kernelDims(
  ctx: NodeContext,
  name: string,
  inputs: readonly [Value, ...(Value | null)[]],
  attributes: AttributeValues = {},
): readonly Dim[] | null {
  // Kernels go by these dims alone: what decides on them has to be known for sizes of every kind.
  if (inputs.slice(1).some((it) => it != null && ctx.known(it) === null)) return null
  if (!ctx.fitsKernels(inputs[0]) || inputs.every((it) => it === null || it.constant !== null)) return null
  const dims = ctx.resultDims(name, inputs, attributes)
  return [...dims, ...inputs[0].dims].some((dim) => dim === 0 || isUnknown(dim)) ? null : dims
}

/** One of the engine's operators that give the elements of their first input under other dims. */
export function renamed(
  ctx: NodeContext,
  name: string,
  inputs: readonly [Value, ...(Value | null)[]],
  attributes: AttributeValues = {},
): Value {
  const [x] = inputs
  if (x.constant !== null) {
    const dims = ctx.resultDims(name, inputs, attributes)
    if (dims.every((dim) => typeof dim === 'number' && dim > 0)) return ctx.reshape(x, dims)
  }
  const dims = kernelDims(ctx, name, inputs, attributes)
  if (dims !== null && sameElementCount(x.dims, dims)) return ctx.reshape(x, dims)
  return ctx.operator(name, inputs, attributes)
}

/** A tensor broadcast to the dims that a list gives. */
export function expanded(ctx: NodeContext, x: Value, shape: Value): Value {
  const dims = kernelDims(ctx, 'Expand', [x, shape])
  return dims === null ? ctx.operator('Expand', [x, shape]) : expandedTo(ctx, x, dims)
}

/** A tensor broadcast to dims that kernels in C can give. */
export function expandedTo(ctx: NodeContext, x: Value, dims: readonly Dim[]): Value {
  const ranked = ctx.reshape(x, [...new Array<number>(dims.length - x.dims.length).fill(1), ...x.dims])
  return ranked.dims.every((dim, axis) => dim === dims[axis])
    ? ranked
    : ctx.emit('expand', {}, [ranked], dims)
}

/** A box of the input, given its first element and its step per dimension; the whole costs nothing. */
export function emitSlice(
  ctx: NodeContext,
  x: Value,
  starts: readonly number[],
  steps: readonly number[],
  dims: readonly Dim[],
): Value {
  const isWhole =
    dims.every((dim, axis) => dim === x.dims[axis]) &&
    starts.every((it) => it === 0) &&
    steps.every((it) => it === 1)
  return isWhole ? x : ctx.emit('slice', { starts, steps }, [x], dims)
}
