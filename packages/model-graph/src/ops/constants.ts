// SPDX-License-Identifier: Apache-2.0
import { inlineConstant, splatConstant } from '../graph/constant.ts'
import type { Value } from '../graph/graph.ts'
import type { NodeContext } from './context.ts'

export function importConstant(ctx: NodeContext): Value {
  const tensor = ctx.attributeConstant('value')
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
  return ctx.unsupported('the constant is not a dense tensor of numbers')
}

export function importConstantOfShape(ctx: NodeContext): Value {
  const dims = ctx.numbers(0, 'shape')
  const value = ctx.attributeConstant('value')
  if (value === undefined) return ctx.constant(splatConstant('float32', dims, 0))
  if (value.splat === null) ctx.mismatch('value does not have one element')
  return ctx.constant(splatConstant(value.dtype, dims, value.splat))
}
