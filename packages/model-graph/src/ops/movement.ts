// SPDX-License-Identifier: Apache-2.0
import { factorDims, formatDims, sameDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { emitSlice } from './slicing.ts'

export const importIdentity = (ctx: NodeContext): Value => ctx.input(0)

/** At inference Dropout passes its input on. */
export function importDropout(ctx: NodeContext): Value {
  ctx.attributes.ignore('ratio', 'seed', 'is_test')
  const mode = ctx.optional(2)
  if (mode !== null && (ctx.known(mode)?.[0] ?? 1) !== 0)
    ctx.unsupported('training_mode is not constant false')
  return ctx.input(0)
}

/** Works out 0 (as in the input) and -1 (what is left). Symbolic dimensions may stay, if the rest matches without them. */
function resolveTarget(
  ctx: NodeContext,
  from: readonly Dim[],
  target: readonly Dim[],
  allowZero: boolean,
): readonly Dim[] {
  const dims = target.map((dim, axis): Dim => {
    if (dim !== 0 || allowZero) return dim
    return (
      from[axis] ??
      ctx.mismatch(`target ${formatDims(target)} copies dimension ${axis} of ${formatDims(from)}`)
    )
  })
  const open = dims.indexOf(-1)
  if (open === -1) return dims
  if (dims.lastIndexOf(-1) !== open) ctx.mismatch(`target ${formatDims(target)} leaves two dimensions open`)
  const all = factorDims(from)
  const rest = factorDims(dims.filter((_, axis) => axis !== open))
  const symbols = [...all.symbols]
  for (const symbol of rest.symbols) {
    const index = symbols.indexOf(symbol)
    if (index === -1)
      ctx.unsupported(`reshapes ${formatDims(from)} to ${formatDims(target)}; give the symbols sizes`)
    symbols.splice(index, 1)
  }
  const quotient = all.known / rest.known
  if (!Number.isInteger(quotient)) ctx.mismatch(`${formatDims(from)} cannot become ${formatDims(target)}`)
  if (symbols.length === 0) return dims.with(open, quotient)
  if (symbols.length > 1 || quotient !== 1) {
    ctx.unsupported(`reshapes ${formatDims(from)} to ${formatDims(target)}; give the symbols sizes`)
  }
  return dims.with(open, symbols[0] as string)
}

export function importReshape(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const target = ctx.opset < 5 ? ctx.attributes.ints('shape') : ctx.ints(1, 'shape')
  if (target === undefined) ctx.mismatch('shape is missing')
  const allowZero = ctx.attributes.int('allowzero', 0) !== 0
  return ctx.reshape(x, resolveTarget(ctx, x.dims, target, allowZero))
}

export function importFlatten(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const rank = x.dims.length
  const given = ctx.attributes.int('axis', 1)
  const axis = given === rank ? rank : ctx.axis(given, rank)
  const merge = (dims: readonly Dim[]): Dim => {
    const { known, symbols } = factorDims(dims)
    if (symbols.length === 0) return known
    if (symbols.length === 1 && known === 1) return symbols[0] as string
    return ctx.unsupported(`flattens ${formatDims(x.dims)}; give the symbols sizes`)
  }
  return ctx.reshape(x, [merge(x.dims.slice(0, axis)), merge(x.dims.slice(axis))])
}

/** Axes: an attribute before opset 13, a constant input since. */
function readAxes(ctx: NodeContext): readonly number[] | undefined {
  if (ctx.opset < 13) return ctx.attributes.ints('axes')
  return ctx.optional(1) === null ? undefined : ctx.numbers(1, 'axes')
}

export function importSqueeze(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const axes = readAxes(ctx)?.map((axis) => ctx.axis(axis, x.dims.length))
  if (axes === undefined) {
    if (x.dims.some((dim) => typeof dim === 'string'))
      ctx.unsupported('squeezes whatever is 1; name the axes')
    return ctx.reshape(
      x,
      x.dims.filter((dim) => dim !== 1),
    )
  }
  if (axes.some((axis) => x.dims[axis] !== 1))
    ctx.mismatch(`axes ${formatDims(axes)} of ${formatDims(x.dims)} are not 1`)
  return ctx.reshape(
    x,
    x.dims.filter((_, axis) => !axes.includes(axis)),
  )
}

export function importUnsqueeze(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const given = readAxes(ctx) ?? ctx.mismatch('axes are missing')
  const rank = x.dims.length + given.length
  const axes = given.map((axis) => ctx.axis(axis, rank))
  if (new Set(axes).size !== axes.length) ctx.mismatch(`axes ${formatDims(given)} name one twice`)
  const rest = x.dims.values()
  const dims = Array.from({ length: rank }, (_, axis) =>
    axes.includes(axis) ? 1 : (rest.next().value as Dim),
  )
  return ctx.reshape(x, dims)
}

export function importTranspose(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const axes = x.dims.map((_, axis) => axis)
  const permutation = ctx.attributes.ints('perm') ?? axes.toReversed()
  if (
    !sameDims(
      [...permutation].sort((a, b) => a - b),
      axes,
    )
  ) {
    ctx.mismatch(`perm ${formatDims(permutation)} is not a permutation of ${axes.length} axes`)
  }
  return ctx.transpose(x, permutation)
}

export function importConcat(ctx: NodeContext): Value {
  const inputs = ctx.inputs.map((_, index) => ctx.input(index))
  const first = inputs[0] ?? ctx.mismatch('there are no inputs')
  if (!ctx.attributes.has('axis')) ctx.mismatch('axis is missing')
  const axis = ctx.axis(ctx.attributes.int('axis', 0), first.dims.length)
  let size = 0
  for (const { dims, dtype } of inputs) {
    const along = dims[axis]
    if (typeof along !== 'number')
      ctx.unsupported(`concatenates along a symbolic dimension of ${formatDims(dims)}`)
    if (
      dtype !== first.dtype ||
      dims.length !== first.dims.length ||
      !sameDims(dims.with(axis, 1), first.dims.with(axis, 1))
    ) {
      ctx.mismatch(`${formatDims(dims)} does not go with ${formatDims(first.dims)} along axis ${axis}`)
    }
    size += along
  }
  const parts = inputs.filter((it) => it.dims[axis] !== 0)
  if (parts.length === 1) return parts[0] as Value
  return ctx.emit('concat', { axis }, parts, first.dims.with(axis, size))
}

/** Pads are an attribute before opset 11 and a constant input since; negative ones cut off. */
export function importPad(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const rank = x.dims.length
  const mode = ctx.attributes.string('mode', 'constant')
  if (mode !== 'constant') ctx.unsupported(`mode ${JSON.stringify(mode)}`)
  const given = ctx.opset < 11 ? ctx.attributes.ints('pads') : ctx.numbers(1, 'pads')
  let value = 0
  if (ctx.opset < 11) value = ctx.attributes.float('value', 0)
  else if (ctx.optional(2) !== null) value = ctx.numbers(2, 'constant_value')[0] ?? 0
  const axes =
    ctx.optional(3) === null
      ? x.dims.map((_, axis) => axis)
      : ctx.numbers(3, 'axes').map((axis) => ctx.axis(axis, rank))
  if (given === undefined || given.length !== 2 * axes.length)
    ctx.mismatch(`pads need ${2 * axes.length} numbers`)
  const before = new Array<number>(rank).fill(0)
  const after = new Array<number>(rank).fill(0)
  for (const [i, axis] of axes.entries()) {
    before[axis] = given[i] as number
    after[axis] = given[axes.length + i] as number
  }
  return padBy(ctx, x, before, after, value)
}

function padBy(
  ctx: NodeContext,
  x: Value,
  before: readonly number[],
  after: readonly number[],
  value: number,
): Value {
  const grown = (dims: readonly Dim[], sign: 1 | -1) =>
    dims.map((dim, axis): Dim => {
      const change =
        Math.max(0, sign * (before[axis] as number)) + Math.max(0, sign * (after[axis] as number))
      if (change === 0) return dim
      return typeof dim === 'number'
        ? dim + sign * change
        : ctx.unsupported(`pads a symbolic dimension of ${formatDims(dims)}`)
    })
  const smaller = grown(x.dims, -1)
  if (smaller.some((dim) => typeof dim === 'number' && dim < 0))
    ctx.mismatch('negative pads cut off more than there is')
  const cut = emitSlice(
    ctx,
    x,
    before.map((it) => Math.max(0, -it)),
    x.dims.map(() => 1),
    smaller,
  )
  const larger = grown(smaller, 1)
  if (sameDims(larger, smaller)) return cut
  return ctx.emit('pad', { before: before.map((it) => Math.max(0, it)), value }, [cut], larger)
}

/** A shape to broadcast to; 1 keeps what the input has. */
export function importExpand(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const target = ctx.ints(1, 'shape')
  const rank = Math.max(target.length, x.dims.length)
  const own = [...new Array<number>(rank - x.dims.length).fill(1), ...x.dims]
  const wanted = [...new Array<number>(rank - target.length).fill(1), ...target]
  const dims = own.map((dim, axis): Dim => {
    const to = wanted[axis] as Dim
    if (dim !== to && dim !== 1 && to !== 1)
      ctx.mismatch(`${formatDims(x.dims)} cannot become ${formatDims(target)}`)
    return dim === 1 ? to : dim
  })
  const ranked = ctx.reshape(x, own)
  return sameDims(own, dims) ? ranked : ctx.emit('expand', {}, [ranked], dims)
}
