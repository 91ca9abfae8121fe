// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

/** How Upsample, and Resize of opset 10, find the elements that a result is made of. */
const early = { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'simple' }

function earlyMode(ctx: NodeContext): string {
  const mode = ctx.attributes.string('mode', 'nearest')
  return mode === 'nearest' || mode === 'linear' ? mode : ctx.unsupported(`mode ${JSON.stringify(mode)}`)
}

export function importResize(ctx: NodeContext): Value {
  if (ctx.opset < 11) {
    return ctx.operator('Resize', [ctx.input(0), null, ctx.input(1)], { ...early, mode: earlyMode(ctx) })
  }
  const attributes = readAttributes(ctx, 'Resize')
  const mode = attributes.coordinate_transformation_mode
  const x = ctx.input(0)
  const [roi, scales, sizes] = [1, 2, 3].map((i) => ctx.optional(i)) as [
    Value | null,
    Value | null,
    Value | null,
  ]
  // Files that give sizes also list an input of scales that is empty, sometimes with a length that they leave open.
  const given = sizes === null || sizes.dims[0] === 0 ? scales : null
  if (mode === 'align_corners' && given !== null)
    refuseParts(ctx, x, given, attributes.axes as readonly number[] | undefined)
  return ctx.operator('Resize', [x, mode === 'tf_crop_and_resize' ? roi : null, given, sizes], attributes)
}

/**
 * Where the scale does not give a whole number of elements, ONNX's test data (which the engine follows where only a query
 * brings the scales) and the common runtimes do not agree where the elements lie.
 */
function refuseParts(
  ctx: NodeContext,
  x: Value,
  scales: Value,
  axes: readonly number[] = [...x.dims.keys()],
): void {
  const isWhole = ctx.known(scales)?.every((scale, i) => {
    const dim = x.dims.at(axes[i] ?? 0)
    if (typeof dim !== 'number' || typeof scale !== 'number') return true
    const count = Math.fround(dim * scale)
    return Math.abs(count - Math.round(count)) < 1e-3
  })
  if (isWhole === false)
    ctx.unsupported('align_corners with scales that do not give whole numbers of elements')
}

/** Scales are an attribute before opset 9, an input since. */
export function importUpsample(ctx: NodeContext): Value {
  const given = ctx.opset < 9 ? ctx.attributes.floats('scales') : undefined
  const scales = given === undefined ? ctx.input(1) : ctx.floats(given)
  return ctx.operator('Resize', [ctx.input(0), null, scales], { ...early, mode: earlyMode(ctx) })
}
