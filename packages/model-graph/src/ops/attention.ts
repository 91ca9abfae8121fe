// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

export function importAttention(ctx: NodeContext): readonly Value[] {
  // Sums are kept in double precision whatever it asks for.
  ctx.attributes.ignore('softmax_precision')
  const attributes = readAttributes(ctx, ctx.opType)
  if (attributes.scale === 0) ctx.unsupported('scale is 0')
  return ctx.operatorOutputs(ctx.opType, ctx.inputs, attributes, ctx.outputCount)
}
