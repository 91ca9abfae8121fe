// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

/** Opset 20 renamed the modes, for images of more than two dimensions. */
const modes: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }

export function importGridSample(ctx: NodeContext): Value {
  const given = ctx.attributes.string('mode', 'linear')
  const mode = modes[given] ?? given
  if (!['linear', 'nearest', 'cubic'].includes(mode)) ctx.unsupported(`mode ${JSON.stringify(given)}`)
  const attributes = readAttributes(ctx, 'GridSample', ['mode'])
  return ctx.operator('GridSample', [ctx.input(0), ctx.input(1)], { ...attributes, mode })
}

/** Before opset 16 regions are not moved by half an element. */
export function importRoiAlign(ctx: NodeContext): Value {
  const attributes = readAttributes(ctx, 'RoiAlign')
  const early = ctx.opset < 16 ? { coordinate_transformation_mode: 'output_half_pixel' } : {}
  return ctx.operator('RoiAlign', ctx.inputs, { ...attributes, ...early })
}
