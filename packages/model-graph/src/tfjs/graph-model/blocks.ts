// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { inChannelsFirst } from '../images.ts'
import type { TfImporter, TfOp } from './op.ts'

/** Block sizes, and what is padded or cropped of each dimension that is cut into blocks. */
function readBlocks(op: TfOp): { readonly blocks: readonly number[]; readonly edges: readonly number[] } {
  const blocks = op.numbers(op.input(1), 'block_shape')
  const edges = op.numbers(op.input(2), 'pads or crops')
  if (edges.length !== 2 * blocks.length || blocks.length >= op.input(0).dims.length)
    op.mismatch('block_shape does not fit')
  if (blocks.some((it) => it < 1) || edges.some((it) => it < 0)) op.mismatch('a block or a pad is negative')
  return { blocks, edges }
}

/** Moves blocks of some dimensions into the batch. */
export function spaceToBatch(op: TfOp): Value {
  const x = op.input(0)
  const { blocks, edges } = readBlocks(op)
  const count = blocks.length
  const axes = blocks.map((_, i) => i + 1)
  const pads = [0, 1].flatMap((side) => blocks.map((_, i) => edges[2 * i + side] as number))
  const padded = op.call('Pad', [x, op.integers(pads), null, op.integers(axes)])
  const rest = x.dims.slice(1 + count).map((_, i) => op.size(x, 1 + count + i))
  const sizes = axes.map((axis, i) => op.size(padded, axis) / (blocks[i] as number))
  if (!sizes.every(Number.isInteger)) op.mismatch('blocks do not fill the padded dimensions')
  const cut = op.reshape(padded, [0, ...sizes.flatMap((size, i) => [size, blocks[i] as number]), ...rest])
  const inner = rest.map((_, i) => 1 + 2 * count + i)
  const moved = op.transpose(cut, [
    ...blocks.map((_, i) => 2 + 2 * i),
    0,
    ...blocks.map((_, i) => 1 + 2 * i),
    ...inner,
  ])
  return op.reshape(moved, [-1, ...sizes, ...rest])
}

/** Puts blocks together again that stand in the batch. */
export function batchToSpace(op: TfOp): Value {
  const x = op.input(0)
  const { blocks, edges } = readBlocks(op)
  const count = blocks.length
  const sizes = blocks.map((_, i) => op.size(x, 1 + i))
  const rest = x.dims.slice(1 + count).map((_, i) => op.size(x, 1 + count + i))
  const cut = op.reshape(x, [...blocks, -1, ...sizes, ...rest])
  const order = [count, ...blocks.flatMap((_, i) => [count + 1 + i, i])]
  const inner = rest.map((_, i) => 1 + 2 * count + i)
  const moved = op.transpose(cut, [...order, ...inner])
  const whole = sizes.map((size, i) => size * (blocks[i] as number))
  if (whole.some((size, i) => (edges[2 * i] as number) + (edges[2 * i + 1] as number) > size)) {
    op.mismatch('more is cropped than there is')
  }
  const joined = op.reshape(moved, [-1, ...whole, ...rest])
  if (edges.every((it) => it === 0)) return joined
  return op.call('Slice', [
    joined,
    op.integers(blocks.map((_, i) => edges[2 * i] as number)),
    op.integers(whole.map((size, i) => size - (edges[2 * i + 1] as number))),
    op.integers(blocks.map((_, i) => 1 + i)),
  ])
}

export const depthToSpace =
  (opType: 'DepthToSpace' | 'SpaceToDepth'): TfImporter =>
  (op) =>
    inChannelsFirst(op, op.input(0), op.format(), (image) =>
      op.call(opType, [image], { blocksize: op.attributes.int('block_size') }),
    )
