// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { castConstant } from '../graph/cast.ts'
import type { Value } from '../graph/graph.ts'
import { dtypeOf } from '../onnx/tensor-proto.ts'
import type { NodeContext } from './context.ts'

function convert(ctx: NodeContext, x: Value, to: DType): Value {
  if (to === x.dtype) return x
  if (x.constant !== null && !ctx.isTraced(x)) return ctx.constant(castConstant(x.constant, to))
  return ctx.operator('Cast', [x], { to })
}

/** float16 and float64 are computed as float32: the one is rounded to, the other is not told apart. */
function castTo(ctx: NodeContext, x: Value, to: DType): Value {
  if (to === 'float64') return convert(ctx, x, 'float32')
  return to === 'float16' ? convert(ctx, convert(ctx, x, 'float16'), 'float32') : convert(ctx, x, to)
}

/** `saturate` and `round_mode` are about floats of 8 bits. */
export function importCast(ctx: NodeContext): Value {
  ctx.attributes.ignore('saturate', 'round_mode')
  return castTo(ctx, ctx.input(0), dtypeOf(ctx.attributes.int('to', 0), 'the result'))
}

export function importCastLike(ctx: NodeContext): Value {
  ctx.attributes.ignore('saturate', 'round_mode')
  return castTo(ctx, ctx.input(0), ctx.input(1).dtype)
}
