// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { type ImageOperand, imageOperand, type Pads, readWindow, type Window } from './window.ts'

type PoolKind = 'max' | 'average'

function emitPool(
  ctx: NodeContext,
  operand: ImageOperand,
  pool: PoolKind,
  window: Window,
  countIncludePad: boolean,
): Value {
  const { kernel, strides, dilations, output, overhang } = window
  const [top, left, bottom, right] = window.pads
  const extents = kernel.map((size, axis) => (size - 1) * (dilations[axis] as number) + 1)
  if (Math.max(top, bottom) >= (extents[0] as number) || Math.max(left, right) >= (extents[1] as number)) {
    ctx.unsupported('the padding is as large as the window')
  }
  let { image } = operand
  let pads: Pads = [top, left, bottom + overhang[0], right + overhang[1]]
  if (countIncludePad && (overhang[0] > 0 || overhang[1] > 0)) {
    // Padding counts in the divisor, what ceil_mode adds does not: make the padding part of the image.
    const padded = [
      operand.batch,
      operand.channels,
      operand.height + top + bottom,
      operand.width + left + right,
    ]
    image = ctx.emit('pad', { before: [0, 0, top, left], value: 0 }, [image], padded)
    pads = [0, 0, overhang[0], overhang[1]]
  }
  const result = ctx.emit(
    'pool2d',
    { pool, kernel, strides, pads, dilations, countIncludePad: countIncludePad && image === operand.image },
    [image],
    [operand.batch, operand.channels, ...output],
  )
  return operand.restore(result)
}

export function importMaxPool(ctx: NodeContext): Value {
  const operand = imageOperand(ctx, ctx.float(0))
  if (!ctx.attributes.has('kernel_shape')) ctx.mismatch('kernel_shape is missing')
  // The order of the Indices output, which is not supported.
  ctx.attributes.ignore('storage_order')
  return emitPool(ctx, operand, 'max', readWindow(ctx, operand, null), false)
}

export function importAveragePool(ctx: NodeContext): Value {
  const operand = imageOperand(ctx, ctx.float(0))
  if (!ctx.attributes.has('kernel_shape')) ctx.mismatch('kernel_shape is missing')
  const countIncludePad = ctx.attributes.int('count_include_pad', 0) !== 0
  return emitPool(ctx, operand, 'average', readWindow(ctx, operand, null), countIncludePad)
}

/** Pools height and width away: [N,C,H,W] → [N,C,1,1]. */
export function poolWhole(ctx: NodeContext, value: Value, pool: PoolKind): Value {
  const operand = imageOperand(ctx, value)
  return emitPool(
    ctx,
    operand,
    pool,
    {
      kernel: [operand.height, operand.width],
      strides: [1, 1],
      dilations: [1, 1],
      pads: [0, 0, 0, 0],
      overhang: [0, 0],
      output: [1, 1],
    },
    false,
  )
}

export const importGlobalPool =
  (pool: PoolKind) =>
  (ctx: NodeContext): Value =>
    poolWhole(ctx, ctx.float(0), pool)
