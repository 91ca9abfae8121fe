// SPDX-License-Identifier: Apache-2.0
import {
  completeAttributes,
  extentOf,
  operatorOf,
  type WindowAttributes,
  windowAxes,
} from '@mlcapsule/inference-kernels/program'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'
import { renamed } from './moving.ts'

export type Pair = readonly [height: number, width: number]
export type Pads = readonly [top: number, left: number, bottom: number, right: number]

/** What the kernels take as a kernel size, stride, dilation or padding; larger ones go to the operators. */
const largestSize = 2 ** 20

/** All attributes of an operator of the engine with sliding windows, those of the node and the defaults of the others. */
export function completeWindowAttributes<Extra>(ctx: NodeContext, name: string): WindowAttributes & Extra {
  const operator = operatorOf(name)
  if (operator === undefined) throw new TypeError(`the engine has no operator ${name}`)
  return completeAttributes(operator, readAttributes(ctx, name)) as unknown as WindowAttributes & Extra
}

/** An image operand [N, C, H, W]; signals [N, C, L] become images of height 1. */
export interface ImageOperand {
  readonly image: Value
  readonly spatial: readonly [height: Dim, width: Dim]
  /** Brings a result back to the rank of the operand. */
  restore(result: Value): Value
}

/** An operand as the kernels take it; null if it has three spatial dimensions, or none. */
export function imageOperand(ctx: NodeContext, value: Value): ImageOperand | null {
  const rank = value.dims.length
  if (rank !== 3 && rank !== 4) return null
  const height = ctx.integers([2])
  const image = rank === 4 ? value : renamed(ctx, 'Unsqueeze', [value, height])
  const restore = (result: Value) => (rank === 4 ? result : renamed(ctx, 'Squeeze', [result, height]))
  return { image, spatial: image.dims.slice(2) as [Dim, Dim], restore }
}

/** A sliding window over height and width, as the kernels have it. */
export interface Window {
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  /** As the model says, or as `auto_pad` gives. */
  readonly pads: Pads
  /** Rows and columns that `ceil_mode` adds below and to the right. */
  readonly overhang: Pair
}

/** Fills a per-axis list up to height and width: a signal has width alone. */
const asPair = (values: readonly number[]): Pair => [
  values.length === 2 ? (values[0] as number) : 1,
  values.at(-1) ?? 1,
]

/**
 * A window for the kernels; null where it depends on a size that is not known, or is too large for them.
 * @param kernel one or two numbers
 * @param attributes that the operator has accepted
 */
export function kernelWindow(
  spatial: readonly [height: Dim, width: Dim],
  kernel: readonly number[],
  attributes: WindowAttributes,
  isCeiling: boolean,
): Window | null {
  const taps = asPair(kernel)
  const strides = asPair(attributes.strides)
  const dilations = asPair(attributes.dilations)
  const rank = kernel.length
  const given = attributes.pads
  const pads = rank === 2 || given.length === 0 ? given : [0, given[0] as number, 0, given[1] as number]
  const isSame = attributes.auto_pad === 'SAME_UPPER' || attributes.auto_pad === 'SAME_LOWER'
  // Padding that keeps the size depends on it, unless windows begin at every element.
  const isFixed = ([0, 1] as const).every((d) => !isCeiling && (!isSame || strides[d] === 1))
  if (spatial.some((dim) => typeof dim === 'string') && !isFixed) return null
  const sizes = spatial.map((dim, d) =>
    typeof dim === 'number' ? dim : extentOf(taps[d as 0 | 1], dilations[d as 0 | 1]),
  )
  const whole = { ...attributes, strides, dilations, pads, kernel_shape: taps }
  const axes = windowAxes(sizes, taps, whole, isCeiling)
  const fields = axes.flatMap((it) => [it.kernel, it.stride, it.dilation, it.before, it.after])
  if (fields.some((it) => it > largestSize)) return null
  const overhang = axes.map(({ size, before, after, count, stride, kernel: own, dilation }) =>
    Math.max(0, (count - 1) * stride + extentOf(own, dilation) - size - before - after),
  )
  const [vertical, horizontal] = axes as [(typeof axes)[0], (typeof axes)[0]]
  return {
    kernel: taps,
    strides,
    dilations,
    pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
    overhang: overhang as unknown as Pair,
  }
}
