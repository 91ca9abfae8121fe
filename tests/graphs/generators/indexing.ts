// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { exactly, magnitude, sumOf, union } from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import { type Generator, type GraphWriter, isExact, type KnownValue } from '../graph-writer.ts'
import { tensorOf } from '../tensors.ts'
import { product } from './shapes.ts'

const movable: readonly DType[] = ['float32', 'float32', 'int64', 'int32', 'bool']

/** Indices into a dimension, as an operand with the query or in the model. */
function indices(
  w: GraphWriter,
  dims: readonly number[],
  size: number,
  dtype: 'int64' | 'int32' = 'int64',
): KnownValue {
  const low = w.opset >= 11 && w.random.chance(0.3) ? -size : 0
  return w.operand(dtype, dims, { low, high: size - 1 })
}

const gather: Generator = {
  op: 'Gather',
  weight: 2,
  add: (w) => {
    const x = w.value(w.random.pick(movable), [1, 4])
    const axis = w.random.below(x.dims.length)
    const places = indices(
      w,
      w.dims(w.random.between(0, 2)),
      x.dims[axis] as number,
      w.random.pick(['int64', 'int32'] as const),
    )
    const dims = [...x.dims.slice(0, axis), ...places.dims, ...x.dims.slice(axis + 1)]
    return w.add(
      'Gather',
      [x, places],
      { axis: w.random.chance(0.3) ? axis - x.dims.length : axis },
      { ...x, dims },
    )
  },
}

const gatherElements: Generator = {
  op: 'GatherElements',
  since: 11,
  add: (w) => {
    const x = w.value(w.random.pick(movable), [1, 4])
    const axis = w.random.below(x.dims.length)
    const dims = x.dims.map((dim, d) => (d === axis ? w.random.between(1, 5) : w.random.between(1, dim)))
    const places = indices(w, dims, x.dims[axis] as number)
    return w.add('GatherElements', [x, places], { axis }, { ...x, dims })
  },
}

/** Lists of coordinates, each within its dimension. */
function coordinates(w: GraphWriter, outer: readonly number[], sizes: readonly number[]): KnownValue {
  const elements = Array.from({ length: product(outer) }, () =>
    sizes.map((size) => w.random.below(size)),
  ).flat()
  const tensor = tensorOf('int64', [...outer, sizes.length], elements)
  return w.random.chance(0.5) ? w.constant(tensor, exactly(0, 6)) : w.input(tensor, exactly(0, 6), true)
}

const gatherNd: Generator = {
  op: 'GatherND',
  since: 11,
  add: (w) => {
    const x = w.value(w.random.pick(movable), [1, 4])
    const depth = w.random.between(1, x.dims.length)
    const places = coordinates(w, w.dims(w.random.between(1, 2)), x.dims.slice(0, depth))
    const dims = [...places.dims.slice(0, -1), ...x.dims.slice(depth)]
    return w.add('GatherND', [x, places], {}, { ...x, dims })
  },
}

const reductionsOf = (w: GraphWriter) =>
  w.opset >= 18 ? ['none', 'add', 'max', 'min'] : w.opset >= 16 ? ['none', 'add'] : ['none']

const scatterElements: Generator = {
  op: 'ScatterElements',
  since: 11,
  add: (w) => {
    const x = w.value(w.random.pick(['float32', 'float32', 'int64', 'int32'] as const), [1, 4])
    const axis = w.random.below(x.dims.length)
    const size = x.dims[axis] as number
    const dims = x.dims.map((dim, d) => (d === axis ? w.random.between(1, size) : w.random.between(1, dim)))
    const reduction = w.random.pick(reductionsOf(w))
    // Where several meet at one place, only some reductions say what comes of it: along the axis all are different.
    const outer = product(dims.slice(0, axis))
    const inner = product(dims.slice(axis + 1))
    const count = dims[axis] as number
    const elements = new Array<number>(product(dims))
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const order = w.random.shuffled(Array.from({ length: size }, (_, n) => n))
        for (let n = 0; n < count; n++) elements[(o * count + n) * inner + i] = order[n] as number
      }
    }
    const places = w.constant(tensorOf('int64', dims, elements), exactly(0, size))
    const updates = w.operand(x.dtype, dims)
    const attributes: Record<string, FuzzAttribute> = { axis, ...(reduction === 'none' ? {} : { reduction }) }
    const estimate = union(
      x.estimate,
      updates.estimate,
      ...(reduction === 'add' ? [sumOf(x.estimate, updates.estimate)] : []),
    )
    return w.add('ScatterElements', [x, places, updates], attributes, { ...x, estimate })
  },
}

const scatterNd: Generator = {
  op: 'ScatterND',
  since: 11,
  add: (w) => {
    const x = w.value(w.random.pick(['float32', 'int64', 'int32'] as const), [1, 4])
    const depth = w.random.between(1, x.dims.length)
    const rows = product(x.dims.slice(0, depth))
    const count = w.random.between(1, Math.min(rows, 4))
    const chosen = w.random.shuffled(Array.from({ length: rows }, (_, i) => i)).slice(0, count)
    const elements = chosen.flatMap((row) => {
      const place: number[] = []
      let rest = row
      for (let d = depth - 1; d >= 0; d--) {
        place.unshift(rest % (x.dims[d] as number))
        rest = Math.floor(rest / (x.dims[d] as number))
      }
      return place
    })
    const places = w.constant(tensorOf('int64', [count, depth], elements), exactly(0, 6))
    const updates = w.operand(x.dtype, [count, ...x.dims.slice(depth)])
    const reduction = w.random.pick(reductionsOf(w))
    const estimate = union(
      x.estimate,
      updates.estimate,
      ...(reduction === 'add' ? [sumOf(x.estimate, updates.estimate)] : []),
    )
    return w.add('ScatterND', [x, places, updates], reduction === 'none' ? {} : { reduction }, {
      ...x,
      estimate,
    })
  },
}

const topK: Generator = {
  op: 'TopK',
  add: (w) => {
    const x = w.value(
      w.opset >= 11 ? w.random.pick(['float32', 'int64', 'int32'] as const) : 'float32',
      [1, 4],
      isExact,
    )
    const axis = w.random.below(x.dims.length)
    const k = w.random.between(1, x.dims[axis] as number)
    const dims = x.dims.with(axis, k)
    const results = [
      { ...x, dims },
      { dtype: 'int64' as const, dims, estimate: exactly(0, x.dims[axis] as number) },
    ] as const
    if (w.opset < 10) return w.add('TopK', [x], { axis, k }, ...results)
    const attributes = w.opset >= 11 ? { axis, largest: w.random.below(2), sorted: 1 } : { axis }
    return w.add('TopK', [x, w.setting([k])], attributes, ...results)
  },
}

const oneHot: Generator = {
  op: 'OneHot',
  since: 9,
  weight: 0.6,
  add: (w) => {
    const depth = w.random.between(1, 6)
    const places = w.operand('int64', w.dims(w.random.between(1, 2)), {
      low: w.opset >= 11 ? -depth : 0,
      high: depth - 1,
    })
    const values = w.constant(tensorOf('float32', [2], [0, 1.5]), exactly(0, 1.5, 1))
    const axis = w.random.between(-1, places.dims.length)
    const dims = [...places.dims]
    dims.splice(axis < 0 ? dims.length : axis, 0, depth)
    return w.add(
      'OneHot',
      [places, w.setting([depth]), values],
      { axis },
      { dtype: 'float32', dims, estimate: values.estimate },
    )
  },
}

const triangle: Generator = {
  op: 'Trilu',
  since: 14,
  weight: 0.6,
  add: (w) => {
    const x = w.value(w.random.pick(['float32', 'int64', 'bool'] as const), [2, 4])
    const inputs = w.random.chance(0.5) ? [x] : [x, w.setting([w.random.between(-3, 3)], [])]
    return w.add(
      'Trilu',
      inputs,
      { upper: w.random.below(2) },
      { ...x, estimate: union(x.estimate, exactly(0, 0)) },
    )
  },
}

const reverseSequence: Generator = {
  op: 'ReverseSequence',
  since: 10,
  weight: 0.5,
  add: (w) => {
    const x = w.value('float32', [2, 4])
    const batch = w.random.below(2)
    const lengths = w.operand('int64', [x.dims[batch] as number], {
      low: 1,
      high: x.dims[1 - batch] as number,
    })
    return w.add('ReverseSequence', [x, lengths], { batch_axis: batch, time_axis: 1 - batch }, x)
  },
}

/** What they give has as many elements as the data decides. */
const chosen: readonly Generator[] = [
  {
    op: 'NonZero',
    since: 9,
    weight: 0.5,
    add: (w) => {
      const x = w.value(w.random.pick(['float32', 'bool', 'int64', 'int32'] as const), [1, 3], isExact)
      return w.add('NonZero', [x], {}, { dtype: 'int64', dims: null, estimate: exactly(0, 6) })
    },
  },
  {
    op: 'Compress',
    since: 9,
    weight: 0.5,
    add: (w) => {
      const x = w.value('float32', [1, 3])
      const axis = w.random.below(x.dims.length)
      const condition = w.operand('bool', [w.random.between(1, x.dims[axis] as number)])
      return w.add('Compress', [x, condition], { axis }, { ...x, dims: null })
    },
  },
  {
    op: 'Unique',
    since: 11,
    weight: 0.3,
    add: (w) => {
      const x = w.value(w.random.pick(['float32', 'int64'] as const), [1, 2], isExact)
      const count = exactly(0, product(x.dims))
      const counts = { dtype: 'int64' as const, dims: null, estimate: count }
      return w.add('Unique', [x], { sorted: 1 }, { ...x, dims: null }, counts, counts, counts)
    },
  },
]

const shape: Generator = {
  op: 'Shape',
  add: (w) => {
    const x = w.value(w.random.pick(movable), [0, 4])
    const attributes: Record<string, FuzzAttribute> = {}
    let dims = x.dims
    if (w.opset >= 15 && w.random.chance(0.5)) {
      const start = w.random.between(0, x.dims.length)
      attributes.start = start
      dims = dims.slice(start)
    }
    return w.add('Shape', [x], attributes, { dtype: 'int64', dims: [dims.length], estimate: exactly(0, 400) })
  },
}

const size: Generator = {
  op: 'Size',
  weight: 0.3,
  add: (w) => {
    const x = w.value(w.random.pick(movable), [0, 4])
    return w.add('Size', [x], {}, { dtype: 'int64', dims: [], estimate: exactly(0, 20_000) })
  },
}

/** Reshapes to a shape that is worked out from another tensor's. */
const reshapeLike: Generator = {
  op: 'Reshape',
  weight: 1,
  add: (w) => {
    const x = w.value('float32', [1, 4])
    const like = w.find(
      (it) => product(it.dims) === product(x.dims) && it.dims.length > 0 && magnitude(it.estimate) < 1e6,
    )
    if (like === null) return false
    const isAdded = w.add(
      'Shape',
      [like],
      {},
      { dtype: 'int64', dims: [like.dims.length], estimate: exactly(0, 400) },
    )
    const wanted = w.find(
      (it) =>
        it.dtype === 'int64' &&
        it.dims.length === 1 &&
        it.dims[0] === like.dims.length &&
        it.name === `v${w.nodeCount - 1}a`,
    )
    return isAdded && wanted !== null && w.add('Reshape', [x, wanted], {}, { ...x, dims: like.dims })
  },
}

const filled: Generator = {
  op: 'ConstantOfShape',
  since: 9,
  weight: 0.5,
  add: (w) => {
    const dims = w.dims(w.random.between(1, 3))
    const value = tensorOf('float32', [1], [1.5])
    return w.add(
      'ConstantOfShape',
      [w.setting(dims)],
      { value },
      { dtype: 'float32', dims, estimate: exactly(1.5, 1.5, 1) },
    )
  },
}

const sequence: Generator = {
  op: 'Range',
  since: 11,
  weight: 0.5,
  add: (w) => {
    const [start, step, count] = [
      w.random.between(-5, 5),
      w.random.pick([1, 2, -1, -3]),
      w.random.between(1, 6),
    ]
    const settings = [start, start + step * count, step].map((it) => w.setting([it], []))
    return w.add('Range', settings, {}, { dtype: 'int64', dims: [count], estimate: exactly(-30, 30) })
  },
}

const eye: Generator = {
  op: 'EyeLike',
  since: 9,
  weight: 0.3,
  add: (w) => {
    const x = w.value('float32', [2, 2])
    return w.add('EyeLike', [x], { k: w.random.between(-2, 2) }, { ...x, estimate: exactly(0, 1) })
  },
}

export const indexingGenerators: readonly Generator[] = [
  gather,
  gatherElements,
  gatherNd,
  scatterElements,
  scatterNd,
  topK,
  oneHot,
  triangle,
  reverseSequence,
  ...chosen,
  shape,
  size,
  reshapeLike,
  filled,
  sequence,
  eye,
]
