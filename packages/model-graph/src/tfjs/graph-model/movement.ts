// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../errors.ts'
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import { batchToSpace, depthToSpace, spaceToBatch } from './blocks.ts'
import type { TfOp, TfTable } from './op.ts'
import { reversed, slice, stridedSlice, symmetricPad } from './slices.ts'

const first = (op: TfOp): Value => op.input(0)

function reshape(op: TfOp): Value {
  // A 0 is a dimension of 0 here, not one to be copied; ONNX has no -1 beside it.
  const target = op.known(op.input(1))
  const allowzero = target?.includes(0) === true
  if (allowzero && target.includes(-1)) op.mismatch('a dimension cannot be worked out beside one of 0')
  return op.call('Reshape', [op.input(0), op.indexList(op.input(1))], { allowzero })
}

function squeeze(op: TfOp): Value {
  const axes = op.attributes.ints('squeeze_dims') ?? op.attributes.ints('axis') ?? []
  return axes.length === 0 ? op.call('Squeeze', [op.input(0)]) : op.squeeze(op.input(0), axes)
}

function expandDims(op: TfOp): Value {
  return op.unsqueeze(op.input(0), [op.number(op.input(1), 'the axis')])
}

/** @param axisAt which input says along what; the rest are joined */
function concat(op: TfOp, axisAt: number): Value {
  const axis = op.number(op.inputs.at(axisAt) ?? op.invalid('there are no inputs'), 'the axis')
  const parts = axisAt === 0 ? op.inputs.slice(1) : op.inputs.slice(0, -1)
  return op.call('Concat', parts, { axis })
}

function pack(op: TfOp): Value {
  const axis = op.axis(op.attributes.int('axis', 0), op.input(0).dims.length + 1)
  return op.call(
    'Concat',
    op.inputs.map((it) => op.unsqueeze(it, [axis])),
    { axis },
  )
}

function unpack(op: TfOp): readonly Value[] {
  const x = op.input(0)
  const axis = op.axis(op.attributes.int('axis', 0), x.dims.length)
  const count = op.attributes.int('num')
  if (count !== x.dims[axis]) op.mismatch(`${count} parts of dimension ${axis} of ${formatDims(x.dims)}`)
  return split(op, x, axis, new Array<number>(requireCount(op, count)).fill(1)).map((it) =>
    op.squeeze(it, [axis]),
  )
}

/** How many parts something is split into: each becomes a value here. */
function requireCount(op: TfOp, count: number): number {
  return count >= 1 && count <= 4096 ? count : op.unsupported(`${count} parts; up to 4096 are supported`)
}

function split(op: TfOp, x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  return op.outputs('Split', [x, op.integers(sizes)], { axis }, requireCount(op, sizes.length))
}

function splitEvenly(op: TfOp): readonly Value[] {
  const x = op.input(1)
  const axis = op.axis(op.number(op.input(0), 'the axis'), x.dims.length)
  const count = requireCount(op, op.attributes.int('num_split'))
  const size = op.size(x, axis) / count
  if (!Number.isInteger(size)) op.mismatch(`${formatDims(x.dims)} in ${count} parts along dimension ${axis}`)
  return split(op, x, axis, new Array<number>(count).fill(size))
}

/** One of the sizes may be -1: what is left. */
function splitBySizes(op: TfOp): readonly Value[] {
  const x = op.input(0)
  const axis = op.axis(op.number(op.input(2), 'the axis'), x.dims.length)
  const sizes = op.numbers(op.input(1), 'sizes')
  const rest = sizes.filter((it) => it !== -1).reduce((a, b) => a + b, 0)
  return split(
    op,
    x,
    axis,
    sizes.map((it) => (it === -1 ? op.size(x, axis) - rest : it)),
  )
}

/** Pads stand in pairs [rank, 2]; ONNX has all that go before first. */
function padList(op: TfOp, pairs: Value): Value {
  const known = op.known(pairs)
  if (known === null || !known.every((it) => typeof it === 'number')) {
    return op.reshape(op.transpose(op.cast(pairs, 'int64'), [1, 0]), [-1])
  }
  const side = (first: number) => known.filter((_, i) => i % 2 === first)
  return op.integers([...side(0), ...side(1)])
}

function mirrorPad(op: TfOp): Value {
  const pads = padList(op, op.input(1))
  const mode = op.attributes.string('mode', 'REFLECT')
  if (mode === 'REFLECT') return op.call('Pad', [op.input(0), pads], { mode: 'reflect' })
  if (mode === 'SYMMETRIC') return symmetricPad(op, op.input(0), op.numbers(pads, 'pads'))
  return op.unsupported(`mode ${quote(mode)}`)
}

function gather(op: TfOp): Value {
  if (op.attributes.int('batch_dims', 0) !== 0) op.unsupported('batch_dims is not 0')
  const axis = op.inputs.length > 2 ? op.number(op.input(2), 'the axis') : 0
  return op.call('Gather', [op.input(0), op.input(1)], { axis })
}

function reverseMarked(op: TfOp): Value {
  const marks = op.numbers(op.input(1), 'dims')
  return reversed(
    op,
    op.input(0),
    [...marks.keys()].filter((axis) => marks[axis] !== 0),
  )
}

/** What is written to one place several times is added up. */
function scatterNd(op: TfOp): Value {
  const [indices, updates, shape] = [op.input(0), op.input(1), op.input(2)]
  const zeros = op.call('Expand', [op.scalar(0, updates.dtype), op.indexList(shape)])
  return op.call('ScatterND', [zeros, op.cast(indices, 'int64'), updates], { reduction: 'add' })
}

function transpose(op: TfOp): Value {
  return op.transpose(op.input(0), op.numbers(op.input(1), 'perm'))
}

/** Operators that move elements and do not compute with them. */
export const movementOps: TfTable = {
  BatchToSpaceND: batchToSpace,
  BroadcastTo: (op) => op.call('Expand', [op.input(0), op.indexList(op.input(1))]),
  Concat: (op) => concat(op, 0),
  ConcatV2: (op) => concat(op, -1),
  DepthToSpace: depthToSpace('DepthToSpace'),
  EnsureShape: first,
  ExpandDims: expandDims,
  Gather: gather,
  GatherNd: (op) => op.call('GatherND', [op.input(0), op.cast(op.input(1), 'int64')]),
  GatherV2: gather,
  Identity: first,
  IdentityN: (op) => op.inputs,
  MirrorPad: mirrorPad,
  Pack: pack,
  Pad: (op) => op.call('Pad', [op.input(0), padList(op, op.input(1))]),
  PadV2: (op) => op.call('Pad', [op.input(0), padList(op, op.input(1)), op.input(2)]),
  PlaceholderWithDefault: first,
  PreventGradient: first,
  Reshape: reshape,
  Reverse: reverseMarked,
  ReverseV2: (op) => reversed(op, op.input(0), op.numbers(op.input(1), 'the axes')),
  ScatterNd: scatterNd,
  Slice: slice,
  Snapshot: first,
  SpaceToBatchND: spaceToBatch,
  SpaceToDepth: depthToSpace('SpaceToDepth'),
  Split: splitEvenly,
  SplitV: splitBySizes,
  Squeeze: squeeze,
  StopGradient: first,
  StridedSlice: stridedSlice,
  TensorScatterUpdate: (op) =>
    op.call('ScatterND', [op.input(0), op.cast(op.input(1), 'int64'), op.input(2)]),
  Tile: (op) => op.call('Tile', [op.input(0), op.indexList(op.input(1))]),
  Transpose: transpose,
  Unpack: unpack,
}
