// SPDX-License-Identifier: Apache-2.0
import type { Layout } from '../program/types.ts'

/** Elements from one index to the next along each logical dimension. */
export function stridesOf(dims: readonly number[], layout: Layout): number[] {
  if (layout === 'nhwc') {
    const [, channels = 1, height = 1, width = 1] = dims
    return [height * width * channels, 1, width * channels, channels]
  }
  const strides = new Array<number>(dims.length)
  let stride = 1
  for (let d = dims.length - 1; d >= 0; d--) {
    strides[d] = stride
    stride *= dims[d] as number
  }
  return strides
}

/** Strides of an operand that is broadcast to `rank` dimensions, right-aligned: 0 where it repeats. */
export function broadcastStrides(dims: readonly number[], layout: Layout, rank: number): number[] {
  const strides = stridesOf(dims, layout).map((stride, d) => (dims[d] === 1 ? 0 : stride))
  return [...new Array<number>(rank - dims.length).fill(0), ...strides]
}

/** Dims in the order in which the bytes lie. */
export function physicalDims(dims: readonly number[], layout: Layout): readonly number[] {
  if (layout !== 'nhwc') return dims
  const [batch = 1, channels = 1, height = 1, width = 1] = dims
  return [batch, height, width, channels]
}

/** A box of elements walked by several operands at once: one list of strides for each. */
export interface Box {
  readonly dims: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/**
 * The same box with as few dimensions as possible: in the order in which the last operand lies in memory, without
 * dimensions of 1, and with neighbors joined that follow one another in every operand.
 */
export function collapseBox({ dims, strides }: Box): Box {
  const last = strides.at(-1) ?? []
  const order = dims.flatMap((dim, d) => (dim === 1 ? [] : [d]))
  order.sort((a, b) => (last[b] as number) - (last[a] as number))
  const joined: { dim: number; strides: number[] }[] = []
  for (const d of order) {
    const dim = dims[d] as number
    const own = strides.map((list) => list[d] as number)
    const outer = joined.at(-1)
    if (outer?.strides.every((stride, i) => stride === (own[i] as number) * dim)) {
      outer.dim *= dim
      outer.strides = own
    } else {
      joined.push({ dim, strides: own })
    }
  }
  return {
    dims: joined.map((each) => each.dim),
    strides: strides.map((_, i) => joined.map((each) => each.strides[i] as number)),
  }
}

/** A list of `count` numbers whose last ones are `list`. */
export function padFront(list: readonly number[], count: number, value: number): number[] {
  return [...new Array<number>(count - list.length).fill(value), ...list]
}
