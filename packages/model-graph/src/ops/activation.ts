// SPDX-License-Identifier: Apache-2.0
import type { UnaryKind } from '@mlcapsule/inference-kernels/program'
import type { Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'

export function emitUnary(ctx: NodeContext, unary: UnaryKind, x: Value, alpha = 0, beta = 0): Value {
  ctx.requireFloat(x)
  return ctx.emit('unary', { unary, alpha: Math.fround(alpha), beta: Math.fround(beta) }, [x], x.dims)
}

/** A function of each element without attributes. */
export const importUnary =
  (unary: UnaryKind) =>
  (ctx: NodeContext): Value =>
    emitUnary(ctx, unary, ctx.input(0))

export const importLeakyRelu = (ctx: NodeContext): Value =>
  emitUnary(ctx, 'leakyrelu', ctx.input(0), ctx.attributes.float('alpha', 0.01))

export const importElu = (ctx: NodeContext): Value =>
  emitUnary(ctx, 'elu', ctx.input(0), ctx.attributes.float('alpha', 1))

export function importHardSigmoid(ctx: NodeContext): Value {
  const alpha = ctx.attributes.float('alpha', 0.2)
  return emitUnary(ctx, 'hardsigmoid', ctx.input(0), alpha, ctx.attributes.float('beta', 0.5))
}

export function importSelu(ctx: NodeContext): Value {
  const alpha = ctx.attributes.float('alpha', 1.6732632423543772)
  const gamma = ctx.attributes.float('gamma', 1.0507009873554805)
  return elementwise(ctx, 'mul', emitUnary(ctx, 'elu', ctx.input(0), alpha), ctx.scalar(gamma))
}

/** Bounds are attributes up to opset 10 and constant inputs from opset 11 on. */
export function importClip(ctx: NodeContext): Value {
  const x = ctx.float(0)
  const bound = (index: number, name: string, otherwise: number): number => {
    if (ctx.opset < 11) return ctx.attributes.float(name, otherwise)
    if (ctx.optional(index) === null) return otherwise
    const values = ctx.numbers(index, name)
    return values.length === 1 ? (values[0] as number) : ctx.mismatch(`${name} is not a scalar`)
  }
  const min = bound(1, 'min', Number.NEGATIVE_INFINITY)
  const max = bound(2, 'max', Number.POSITIVE_INFINITY)
  // With min above max every element becomes max, as ONNX lays down since opset 12.
  return emitUnary(ctx, 'clamp', x, Math.min(min, max), max)
}

/** 0.5 x (1 + erf(x / √2)), or its approximation by tanh. */
export function importGelu(ctx: NodeContext): Value {
  const x = ctx.float(0)
  const approximate = ctx.attributes.string('approximate', 'none')
  let inner: Value
  if (approximate === 'none') {
    inner = emitUnary(ctx, 'erf', elementwise(ctx, 'mul', x, ctx.scalar(Math.SQRT1_2)))
  } else if (approximate === 'tanh') {
    const cubed = elementwise(ctx, 'mul', elementwise(ctx, 'mul', x, x), x)
    const sum = elementwise(ctx, 'add', elementwise(ctx, 'mul', cubed, ctx.scalar(0.044715)), x)
    inner = emitUnary(ctx, 'tanh', elementwise(ctx, 'mul', sum, ctx.scalar(Math.sqrt(2 / Math.PI))))
  } else ctx.unsupported(`approximate ${JSON.stringify(approximate)}`)
  const half = elementwise(ctx, 'mul', x, ctx.scalar(0.5))
  return elementwise(ctx, 'mul', half, elementwise(ctx, 'add', inner, ctx.scalar(1)))
}
