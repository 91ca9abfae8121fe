// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { exactly, union } from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import type { Generator, GraphWriter, KnownValue } from '../graph-writer.ts'
import { broadcastDims, product } from './shapes.ts'

const movable: readonly DType[] = ['float32', 'float32', 'float32', 'int64', 'int32', 'bool', 'uint8']
const anyValue = (w: GraphWriter, ranks: readonly [number, number] = [0, 4]) =>
  w.value(w.random.pick(movable), ranks)

const signed = (w: GraphWriter, axis: number, rank: number) =>
  w.opset >= 11 && w.random.chance(0.4) ? axis - rank : axis

/** Some factorization of a count into `rank` dimensions. */
function factors(w: GraphWriter, count: number, rank: number): number[] {
  const dims: number[] = []
  let left = count
  for (let i = 1; i < rank; i++) {
    const divisors = Array.from({ length: left }, (_, n) => n + 1).filter((n) => left % n === 0)
    const dim = w.random.pick(divisors)
    dims.push(dim)
    left /= dim
  }
  return w.random.shuffled([...dims, left])
}

const reshape: Generator = {
  op: 'Reshape',
  weight: 3,
  add: (w) => {
    const x = anyValue(w)
    const dims = factors(w, product(x.dims), w.random.between(1, 4))
    const inferred = w.random.chance(0.4) ? w.random.below(dims.length) : -1
    const shape = dims.map((dim, axis) =>
      axis === inferred ? -1 : dim === x.dims[axis] && w.random.chance(0.3) ? 0 : dim,
    )
    return w.add('Reshape', [x, w.setting(shape)], {}, { ...x, dims })
  },
}

const flatten: Generator = {
  op: 'Flatten',
  add: (w) => {
    const x = w.value(w.opset < 9 ? 'float32' : w.random.pick(movable), [1, 4])
    const axis = w.random.between(0, x.dims.length)
    const dims = [product(x.dims.slice(0, axis)), product(x.dims.slice(axis))]
    const isBack = w.opset >= 11 && axis < x.dims.length && w.random.chance(0.3)
    return w.add('Flatten', [x], { axis: isBack ? axis - x.dims.length : axis }, { ...x, dims })
  },
}

/** Axes as attribute or, from operator set 13 on, as an input. */
function withAxes(
  w: GraphWriter,
  op: string,
  x: KnownValue,
  axes: readonly number[],
  dims: readonly number[],
): boolean {
  return w.opset >= 13
    ? w.add(op, [x, w.setting(axes)], {}, { ...x, dims })
    : w.add(op, [x], { axes }, { ...x, dims })
}

const squeeze: Generator = {
  op: 'Squeeze',
  add: (w) => {
    const x = w.value(w.random.pick(movable), [1, 4], (it) => it.dims.includes(1))
    const ones = x.dims.flatMap((dim, axis) => (dim === 1 ? [axis] : []))
    if (ones.length === 0) return false
    if (w.random.chance(0.2)) {
      // Without axes all of them go; how many must be known from the shape.
      const dims = x.dims.filter((dim) => dim !== 1)
      return w.add('Squeeze', [x], {}, { ...x, dims })
    }
    const axes = w.random.some(ones, 1)
    const dims = x.dims.filter((_, axis) => !axes.includes(axis))
    return withAxes(
      w,
      'Squeeze',
      x,
      axes.map((axis) => signed(w, axis, x.dims.length)),
      dims,
    )
  },
}

const unsqueeze: Generator = {
  op: 'Unsqueeze',
  add: (w) => {
    const x = anyValue(w, [0, 3])
    const rank = x.dims.length + w.random.between(1, 2)
    const axes = w.random
      .shuffled(Array.from({ length: rank }, (_, axis) => axis))
      .slice(0, rank - x.dims.length)
    const rest = [...x.dims]
    const dims = Array.from({ length: rank }, (_, axis) =>
      axes.includes(axis) ? 1 : (rest.shift() as number),
    )
    const sorted = w.opset >= 13 ? axes : axes.sort((a, b) => a - b)
    return withAxes(
      w,
      'Unsqueeze',
      x,
      sorted.map((axis) => signed(w, axis, rank)),
      dims,
    )
  },
}

const transpose: Generator = {
  op: 'Transpose',
  weight: 2,
  add: (w) => {
    const x = w.value(w.random.pick(movable), [0, 4], () => true, 'allowed')
    if (w.random.chance(0.2)) return w.add('Transpose', [x], {}, { ...x, dims: [...x.dims].reverse() })
    const perm = w.random.shuffled(x.dims.map((_, axis) => axis))
    return w.add('Transpose', [x], { perm }, { ...x, dims: perm.map((axis) => x.dims[axis] as number) })
  },
}

const concat: Generator = {
  op: 'Concat',
  weight: 2,
  add: (w) => {
    const x = anyValue(w, [1, 4])
    const axis = w.random.below(x.dims.length)
    const operands: KnownValue[] = [x]
    const count = w.random.between(0, 2)
    for (let i = 0; i < count; i++) {
      const isLike = (it: KnownValue) =>
        it.dtype === x.dtype &&
        it.dims.length === x.dims.length &&
        it.dims.every((dim, d) => d === axis || dim === x.dims[d])
      operands.push(
        (w.random.chance(0.5) ? w.find(isLike) : null) ??
          w.operand(x.dtype, x.dims.with(axis, w.random.between(1, 4))),
      )
    }
    const dims = x.dims.with(
      axis,
      operands.reduce((sum, it) => sum + (it.dims[axis] as number), 0),
    )
    const estimate = union(...operands.map((it) => it.estimate))
    return w.add(
      'Concat',
      w.random.shuffled(operands),
      { axis: signed(w, axis, dims.length) },
      { ...x, dims, estimate },
    )
  },
}

const split: Generator = {
  op: 'Split',
  add: (w) => {
    const x = w.value(w.random.pick(movable), [1, 4], (it) => it.dims.some((dim) => dim > 1))
    const axis = w.random.pick(x.dims.map((_, d) => d))
    const size = x.dims[axis] as number
    if (size < 2) return false
    const first = w.random.between(1, size - 1)
    const parts = size % 2 === 0 && w.random.chance(0.3) ? [size / 2, size / 2] : [first, size - first]
    const results = parts.map((part) => ({ ...x, dims: x.dims.with(axis, part) }))
    const attributes: Record<string, FuzzAttribute> = { axis: signed(w, axis, x.dims.length) }
    const isEven = parts[0] === parts[1] && w.random.chance(0.5)
    if (isEven) {
      if (w.opset >= 18) attributes.num_outputs = 2
      return w.add('Split', [x], attributes, ...results)
    }
    if (w.opset >= 13) return w.add('Split', [x, w.setting(parts)], attributes, ...results)
    return w.add('Split', [x], { ...attributes, split: parts }, ...results)
  },
}

/** Bounds of a slice along one axis, now and then from the back or beyond the end. */
function range(w: GraphWriter, size: number) {
  const step = w.opset >= 10 ? w.random.pick([1, 1, 1, 2, 3, -1, -2]) : 1
  const from = w.random.below(size)
  if (step > 0) {
    const to = w.random.chance(0.3) ? size + w.random.below(100) : w.random.between(from + 1, size)
    const count = Math.ceil((Math.min(to, size) - from) / step)
    return { start: w.random.chance(0.3) ? from - size : from, end: to, step, count }
  }
  const last = w.random.between(-1, from - 1)
  // Before the first element there is no place to name but one far out.
  const end = last === -1 ? -size - 1 - w.random.below(100) : last
  return { start: from, end, step, count: Math.ceil((from - last) / -step) }
}

const slice: Generator = {
  op: 'Slice',
  weight: 2,
  add: (w) => {
    const x = anyValue(w, [1, 4])
    const axes = w.random.some(
      x.dims.map((_, axis) => axis),
      1,
    )
    const ranges = axes.map((axis) => range(w, x.dims[axis] as number))
    let dims: readonly number[] = x.dims
    for (const [i, axis] of axes.entries()) dims = dims.with(axis, ranges[i]?.count as number)
    const [starts, ends, steps] = (['start', 'end', 'step'] as const).map((it) =>
      ranges.map((r) => r[it]),
    ) as [number[], number[], number[]]
    if (w.opset < 10) return w.add('Slice', [x], { starts, ends, axes }, { ...x, dims })
    const signedAxes = axes.map((axis) => signed(w, axis, x.dims.length))
    const hasSteps = steps.some((it) => it !== 1) || w.random.chance(0.3)
    const settings = [starts, ends, signedAxes, ...(hasSteps ? [steps] : [])].map((it) => w.setting(it))
    return w.add('Slice', [x, ...settings], {}, { ...x, dims })
  },
}

const pad: Generator = {
  op: 'Pad',
  weight: 1.5,
  add: (w) => {
    const x = w.value(
      w.opset >= 13 ? w.random.pick(['float32', 'float32', 'int32', 'int64']) : 'float32',
      [1, 4],
    )
    const mode = w.random.pick(['constant', 'constant', 'reflect', 'edge'])
    const amounts = () =>
      x.dims.map((dim) =>
        w.random.chance(0.5) ? 0 : Math.min(w.random.between(0, 2), mode === 'reflect' ? dim - 1 : 2),
      )
    const [before, after] = [amounts(), amounts()]
    const dims = x.dims.map((dim, axis) => dim + (before[axis] as number) + (after[axis] as number))
    const value = w.random.pick([0, 0, 1.5, -2])
    const estimate =
      mode === 'constant' ? union(x.estimate, exactly(Math.min(0, value), Math.max(0, value), 1)) : x.estimate
    const pads = [...before, ...after]
    const attributes = { mode }
    if (w.opset < 11)
      return w.add('Pad', [x], { mode, pads, value: { float: value } }, { ...x, dims, estimate })
    const inputs: (KnownValue | string)[] = [x, w.setting(pads)]
    if (mode === 'constant' && x.dtype === 'float32') inputs.push(w.scalar(value))
    return w.add('Pad', inputs, attributes, { ...x, dims, estimate })
  },
}

const expand: Generator = {
  op: 'Expand',
  since: 8,
  add: (w) => {
    const x = anyValue(w, [0, 3])
    const target = [
      ...w.dims(w.random.below(2)),
      ...x.dims.map((dim) => (dim === 1 ? w.random.between(1, 4) : w.random.pick([1, dim]))),
    ]
    return w.add('Expand', [x, w.setting(target)], {}, { ...x, dims: broadcastDims(x.dims, target) })
  },
}

const tile: Generator = {
  op: 'Tile',
  add: (w) => {
    const x = anyValue(w, [1, 4])
    const repeats = x.dims.map(() => w.random.pick([1, 1, 2, 3]))
    return w.add(
      'Tile',
      [x, w.setting(repeats)],
      {},
      { ...x, dims: x.dims.map((dim, d) => dim * (repeats[d] as number)) },
    )
  },
}

const blocks = (op: 'DepthToSpace' | 'SpaceToDepth'): Generator => ({
  op,
  weight: 0.6,
  add: (w) => {
    const [n, c, h, width] = w.dims(4) as [number, number, number, number]
    const isDepth = op === 'DepthToSpace'
    const x = w.fresh('float32', isDepth ? [n, c * 4, h, width] : [n, c, h * 2, width * 2])
    const dims = isDepth ? [n, c, h * 2, width * 2] : [n, c * 4, h, width]
    const attributes: Record<string, FuzzAttribute> = { blocksize: 2 }
    if (isDepth && w.opset >= 11) attributes.mode = w.random.pick(['DCR', 'CRD'])
    return w.add(op, [x], attributes, { ...x, dims })
  },
})

export const movementGenerators: readonly Generator[] = [
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  concat,
  split,
  slice,
  pad,
  expand,
  tile,
  blocks('DepthToSpace'),
  blocks('SpaceToDepth'),
]
