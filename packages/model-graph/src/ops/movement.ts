// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../graph/constant.ts'
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { emitSlice, expanded, expandedTo, kernelDims, renamed } from './moving.ts'

export const importIdentity = (ctx: NodeContext): Value => ctx.input(0)

export function importReshape(ctx: NodeContext): Value {
  const allowzero = ctx.attributes.int('allowzero', 0) !== 0
  return renamed(ctx, 'Reshape', [ctx.input(0), ctx.input(1)], { allowzero })
}

export const importFlatten = (ctx: NodeContext): Value =>
  renamed(ctx, 'Flatten', [ctx.input(0)], { axis: ctx.attributes.int('axis', 1) })

/** Squeeze and Unsqueeze. Axes are an attribute before opset 13, an input since. */
export function importSqueeze(ctx: NodeContext): Value {
  const given = ctx.opset < 13 ? ctx.attributes.ints('axes') : undefined
  const axes = given === undefined ? ctx.optional(1) : ctx.integers(given)
  return renamed(ctx, ctx.opType, [ctx.input(0), axes])
}

export function importTranspose(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const perm = ctx.attributes.ints('perm') ?? []
  // Refuses what is not a permutation.
  const dims = ctx.resultDims('Transpose', [x], { perm })
  const isFree = x.constant !== null && !dims.includes(0)
  if (!isFree && !ctx.fitsKernels(x)) return ctx.operator('Transpose', [x], { perm })
  return ctx.transpose(x, perm.length === 0 ? dims.map((_, axis) => axis).reverse() : perm)
}

export function importConcat(ctx: NodeContext): Value {
  const inputs = ctx.inputs.map((_, index) => ctx.input(index))
  if (!ctx.attributes.has('axis')) ctx.mismatch('axis is missing')
  const attributes = { axis: ctx.attributes.int('axis', 0) }
  const dims = ctx.resultDims('Concat', inputs, attributes)
  const axis = ctx.axis(attributes.axis, dims.length)
  const parts = inputs.filter((it) => it.dims[axis] !== 0)
  if (parts.length === 1) return parts[0] as Value
  const isFolded = inputs.every((it) => it.constant !== null)
  if (isFolded || parts.length === 0 || !ctx.fitsKernels(...parts)) {
    return ctx.operator('Concat', inputs, attributes)
  }
  return ctx.emit('concat', { axis }, parts, dims)
}

export const importExpand = (ctx: NodeContext): Value => expanded(ctx, ctx.input(0), ctx.input(1))

/** A dimension of 1 that is repeated is broadcast. */
export function importTile(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const inputs = [x, ctx.input(1)] as const
  const dims = kernelDims(ctx, 'Tile', inputs)
  const isExpand = dims?.every((dim, axis) => dim === x.dims[axis] || x.dims[axis] === 1) ?? false
  return dims !== null && isExpand ? expandedTo(ctx, x, dims) : ctx.operator('Tile', inputs)
}

/** A constant where the shape is; otherwise one element, repeated. */
export function importConstantOfShape(ctx: NodeContext): Value {
  const shape = ctx.input(0)
  const value = ctx.attributeConstant('value') ?? splatConstant('float32', [1], 0)
  if (value.splat === null) ctx.mismatch('value does not have one element')
  const scalar = ctx.filled(value.dtype, value.splat)
  const known = ctx.known(shape)
  const isConstant = known?.every((dim) => typeof dim === 'number' && dim > 0) ?? false
  if (isConstant) return ctx.constant(splatConstant(value.dtype, known as number[], value.splat))
  return expanded(ctx, scalar, shape)
}

/**
 * At inference Dropout passes its input on, with a mask that is true everywhere. Where only a query tells whether this is
 * training, the operator looks.
 */
export function importDropout(ctx: NodeContext): readonly Value[] {
  const x = ctx.input(0)
  ctx.attributes.ignore('ratio', 'seed')
  if (ctx.opset < 7 && ctx.attributes.int('is_test', 0) === 0) ctx.unsupported('it trains (is_test is 0)')
  const mode = ctx.optional(2)
  if (mode !== null && ctx.known(mode)?.[0] !== 0) {
    return ctx.operatorOutputs('Dropout', [x, ctx.optional(1), mode], {}, ctx.outputCount)
  }
  if (ctx.outputCount < 2) return [x]
  const kept = ctx.opset < 10 ? ctx.filled(x.dtype, 1) : ctx.filled('bool', 1)
  return [x, expanded(ctx, kept, ctx.operator('Shape', [x]))]
}

/** Pads are an attribute before opset 11 and an input since; so is the value. */
export function importPad(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const mode = ctx.attributes.string('mode', 'constant')
  if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode)) ctx.unsupported(`mode ${JSON.stringify(mode)}`)
  const isOld = ctx.opset < 11
  const pads = isOld
    ? ctx.integers(ctx.attributes.ints('pads') ?? ctx.mismatch('pads are missing'))
    : ctx.input(1)
  const value = isOld ? oldPadValue(ctx, x) : ctx.optional(2)
  const inputs = [x, pads, value, ctx.optional(3)] as const
  if (mode === 'constant') {
    const fast = padByKernels(ctx, inputs)
    if (fast !== null) return fast
  }
  return ctx.operator('Pad', inputs, { mode })
}

function oldPadValue(ctx: NodeContext, x: Value): Value | null {
  const value = ctx.attributes.float('value', 0)
  if (x.dtype === 'float32') return ctx.scalar(value)
  return value === 0 ? null : ctx.unsupported(`pads ${x.dtype} with a float`)
}

function padByKernels(
  ctx: NodeContext,
  inputs: readonly [x: Value, pads: Value, value: Value | null, axes: Value | null],
): Value | null {
  const [x, padList, valueInput, axesInput] = inputs
  const dims = kernelDims(ctx, 'Pad', inputs)
  const pads = ctx.known(padList)
  const fill = valueInput === null ? 0 : ctx.known(valueInput)?.[0]
  const axes = axesInput === null ? x.dims.map((_, axis) => axis) : ctx.known(axesInput)
  if (dims === null || pads === null || axes === null || typeof fill !== 'number') return null
  if (![...pads, ...axes].every((it) => typeof it === 'number')) return null
  const before = new Array<number>(x.dims.length).fill(0)
  const after = new Array<number>(x.dims.length).fill(0)
  for (const [i, given] of (axes as readonly number[]).entries()) {
    const axis = ctx.axis(given, x.dims.length)
    before[axis] = pads[i] as number
    after[axis] = pads[axes.length + i] as number
  }
  const isCut = [...before, ...after].some((it) => it < 0)
  const cutDims = x.dims.map((dim, axis) => {
    const cut = Math.max(0, -(before[axis] as number)) + Math.max(0, -(after[axis] as number))
    return typeof dim === 'number' ? dim - cut : dim
  })
  if (isCut && (cutDims.includes(0) || x.dims.some((dim) => typeof dim === 'string'))) return null
  const cut = emitSlice(
    ctx,
    x,
    before.map((it) => Math.max(0, -it)),
    x.dims.map(() => 1),
    cutDims,
  )
  if (cutDims.every((dim, axis) => dim === dims[axis])) return cut
  return ctx.emit('pad', { before: before.map((it) => Math.max(0, it)), value: fill }, [cut], dims)
}
