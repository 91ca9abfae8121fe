// SPDX-License-Identifier: Apache-2.0
import { inlineConstant } from '../graph/constant.ts'
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

export function importConstant(ctx: NodeContext): Value {
  const tensor = ctx.attributeConstant('value') ?? ctx.attributeConstant('sparse_value')
  if (tensor !== undefined) return ctx.constant(tensor)
  const { attributes } = ctx
  if (attributes.has('value_float')) return ctx.scalar(attributes.float('value_float', 0))
  if (attributes.has('value_int')) return ctx.integers([attributes.int('value_int', 0)], [], 'int64')
  const floats = attributes.floats('value_floats')
  if (floats !== undefined) {
    return ctx.constant(inlineConstant('float32', [floats.length], new Float32Array(floats)))
  }
  const ints = attributes.ints('value_ints')
  if (ints !== undefined) return ctx.integers(ints, [ints.length], 'int64')
  return ctx.unsupported('the constant is not a tensor of numbers')
}
