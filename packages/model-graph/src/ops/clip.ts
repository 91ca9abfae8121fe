// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import { emitUnary } from './activation.ts'
import type { NodeContext } from './context.ts'

/** Bounds as values: attributes up to opset 10, inputs from opset 11 on. */
function boundsOf(ctx: NodeContext): readonly (Value | null)[] {
  if (ctx.opset >= 11) return [ctx.optional(1), ctx.optional(2)]
  return ['min', 'max'].map((name) =>
    ctx.attributes.has(name) ? ctx.scalar(ctx.attributes.float(name, 0)) : null,
  )
}

/** A bound that is known at import; null where it is not. */
function knownBound(ctx: NodeContext, bound: Value | null, otherwise: number): number | null {
  if (bound === null) return otherwise
  const values = ctx.known(bound)
  return values?.length === 1 && typeof values[0] === 'number' ? values[0] : null
}

export function importClip(ctx: NodeContext): Value {
  const x = ctx.input(0)
  const bounds = boundsOf(ctx)
  const min = knownBound(ctx, bounds[0] ?? null, Number.NEGATIVE_INFINITY)
  const max = knownBound(ctx, bounds[1] ?? null, Number.POSITIVE_INFINITY)
  if (min === null || max === null || !ctx.fitsKernels(x) || ctx.isTraced(x))
    return ctx.operator('Clip', [x, ...bounds])
  // With min above max every element becomes max, as ONNX lays down since opset 12.
  return emitUnary(ctx, 'clamp', x, Math.min(min, max), max)
}
