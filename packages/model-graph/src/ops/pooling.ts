// SPDX-License-Identifier: Apache-2.0
import { type AttributeValue, extentOf, type WindowAttributes } from '@mlcapsule/inference-kernels/program'
import type { Dim, Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import {
  completeWindowAttributes,
  type ImageOperand,
  imageOperand,
  kernelWindow,
  type Pads,
  type Window,
} from './window.ts'

type PoolKind = 'max' | 'average'

/** Padding with what ceil_mode adds to it. */
export function pooledPads({ pads: [top, left, bottom, right], overhang }: Window): Pads {
  return [top, left, bottom + overhang[0], right + overhang[1]]
}

/** @param dims of the result, as an image */
function emitPool(
  ctx: NodeContext,
  { image: given, restore }: ImageOperand,
  pool: PoolKind,
  window: Window,
  countIncludePad: boolean,
  dims: readonly Dim[],
): Value {
  const { kernel, strides, dilations, overhang } = window
  const [top, left, bottom, right] = window.pads
  let image = given
  let pads = pooledPads(window)
  if (countIncludePad && (overhang[0] > 0 || overhang[1] > 0)) {
    // Padding counts in the divisor, what ceil_mode adds does not: make the padding part of the image.
    const [batch, channels, height, width] = image.dims as [Dim, Dim, number, number]
    const padded = [batch, channels, height + top + bottom, width + left + right]
    image = ctx.emit('pad', { before: [0, 0, top, left], value: 0 }, [image], padded)
    pads = [0, 0, overhang[0], overhang[1]]
  }
  const attributes = { pool, kernel, strides, pads, dilations }
  const isCounted = countIncludePad && image === given
  return restore(ctx.emit('pool2d', { ...attributes, countIncludePad: isCounted }, [image], dims))
}

export type PoolAttributes = WindowAttributes & {
  readonly ceil_mode: boolean
  readonly count_include_pad?: boolean
}

/** The window of a pool for the kernels; null where they cannot take it. */
export function kernelPoolWindow(
  spatial: readonly [height: Dim, width: Dim],
  attributes: PoolAttributes,
): Window | null {
  const window = kernelWindow(spatial, attributes.kernel_shape, attributes, attributes.ceil_mode)
  if (window === null) return null
  const [top, left, bottom, right] = window.pads
  const extents = window.kernel.map((size, d) => extentOf(size, window.dilations[d as 0 | 1]))
  // A window might see nothing but padding.
  const isPadding =
    Math.max(top, bottom) >= (extents[0] as number) || Math.max(left, right) >= (extents[1] as number)
  return isPadding ? null : window
}

/** By the kernels; null where they cannot. */
function importKernelPool(
  ctx: NodeContext,
  pool: PoolKind,
  name: string,
  attributes: PoolAttributes,
): Value | null {
  const x = ctx.input(0)
  if (!ctx.fitsKernels(x) || ctx.outputCount > 1 || typeof x.dims[1] !== 'number') return null
  // Refuses what does not fit together.
  const dims = ctx.resultDims(name, [x], attributes as unknown as Record<string, AttributeValue>)
  const operand = imageOperand(ctx, x)
  if (operand === null || dims.includes(0)) return null
  const window = kernelPoolWindow(operand.spatial, attributes)
  if (window === null) return null
  const imageDims = x.dims.length === 4 ? dims : [...dims.slice(0, 2), 1, dims[2] as Dim]
  return emitPool(ctx, operand, pool, window, attributes.count_include_pad ?? false, imageDims)
}

const importPool =
  (pool: PoolKind, name: string) =>
  (ctx: NodeContext): Value | readonly Value[] => {
    const attributes = completeWindowAttributes<Omit<PoolAttributes, keyof WindowAttributes>>(ctx, name)
    return (
      importKernelPool(ctx, pool, name, attributes) ??
      ctx.operatorOutputs(
        name,
        [ctx.input(0)],
        attributes as unknown as Record<string, AttributeValue>,
        ctx.outputCount,
      )
    )
  }

export const importMaxPool = importPool('max', 'MaxPool')
export const importAveragePool = importPool('average', 'AveragePool')

/** Pools height and width, which are known, away: [N, C, H, W] → [N, C, 1, 1]. */
export function poolWhole(ctx: NodeContext, value: Value, pool: PoolKind): Value {
  return emitWhole(ctx, value, pool) ?? ctx.operator(wholeNames[pool], [value])
}

const wholeNames = { max: 'GlobalMaxPool', average: 'GlobalAveragePool' } as const

function emitWhole(ctx: NodeContext, x: Value, pool: PoolKind): Value | null {
  const operand = ctx.fitsKernels(x) ? imageOperand(ctx, x) : null
  if (operand === null || operand.spatial.some((dim) => typeof dim === 'string')) return null
  const window: Window = {
    kernel: operand.spatial as readonly [number, number],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [0, 0, 0, 0],
    overhang: [0, 0],
  }
  return emitPool(ctx, operand, pool, window, false, [...x.dims.slice(0, 2), 1, 1])
}

export const importGlobalPool =
  (pool: PoolKind) =>
  (ctx: NodeContext): Value =>
    poolWhole(ctx, ctx.input(0), pool)
