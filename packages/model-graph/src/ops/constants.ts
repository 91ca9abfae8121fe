// SPDX-License-Identifier: Apache-2.0
import { inlineConstant } from '../graph/constant.ts'
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

export function importConstant(ctx: NodeContext): Value {
  const tensor = ctx.attributeConstant('value') ?? ctx.attributeConstant('sparse_value')
  if (tensor !== undefined) return ctx.constant(tensor)
  const { attributes } = ctx
  if (attributes.has('value_float')) return ctx.scalar(attributes.float('value_float', 0))
  const int = attributes.bigints('value_int', 'INT')
  if (int !== undefined) return ctx.constant(inlineConstant('int64', [], BigInt64Array.from(int)))
  const floats = attributes.floats('value_floats')
  if (floats !== undefined) {
    return ctx.constant(inlineConstant('float32', [floats.length], new Float32Array(floats)))
  }
  const ints = attributes.bigints('value_ints', 'INTS')
  if (ints !== undefined)
    return ctx.constant(inlineConstant('int64', [ints.length], BigInt64Array.from(ints)))
  return ctx.unsupported('the constant is not a tensor of numbers')
}
