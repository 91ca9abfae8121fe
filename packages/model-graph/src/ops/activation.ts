// SPDX-License-Identifier: Apache-2.0
import type { UnaryKind } from '@mlcapsule/inference-kernels/program'
import type { Value } from '../graph/graph.ts'
import { elementwise } from './arithmetic.ts'
import type { NodeContext } from './context.ts'
import { readAttributes } from './generic.ts'

export function emitUnary(ctx: NodeContext, unary: UnaryKind, x: Value, alpha = 0, beta = 0): Value {
  ctx.requireFloat(x)
  return ctx.emit('unary', { unary, alpha: Math.fround(alpha), beta: Math.fround(beta) }, [x], x.dims)
}

type Emit = (ctx: NodeContext, x: Value) => Value

/** A function of each element: as `emit` has it in C, or as the engine's operator where kernels do not take the input. */
const importElements =
  (emit: Emit) =>
  (ctx: NodeContext): Value => {
    const x = ctx.input(0)
    if (ctx.fitsKernels(x) && !ctx.isTraced(x)) return emit(ctx, x)
    return ctx.operator(ctx.opType, [x], readAttributes(ctx, ctx.opType))
  }

/** A function of each element without attributes. */
export const importUnary = (unary: UnaryKind) => importElements((ctx, x) => emitUnary(ctx, unary, x))

export const importLeakyRelu = importElements((ctx, x) =>
  emitUnary(ctx, 'leakyrelu', x, ctx.attributes.float('alpha', 0.01)),
)

export const importElu = importElements((ctx, x) =>
  emitUnary(ctx, 'elu', x, ctx.attributes.float('alpha', 1)),
)

export const importHardSigmoid = importElements((ctx, x) =>
  emitUnary(ctx, 'hardsigmoid', x, ctx.attributes.float('alpha', 0.2), ctx.attributes.float('beta', 0.5)),
)

export const importSelu = importElements((ctx, x) => {
  const alpha = ctx.attributes.float('alpha', 1.6732632423543772)
  const gamma = ctx.attributes.float('gamma', 1.0507009873554805)
  return elementwise(ctx, 'mul', emitUnary(ctx, 'elu', x, alpha), ctx.scalar(gamma))
})

/** α elu(x / α), for α above 0. */
export const importCelu = importElements((ctx, x) => {
  const alpha = ctx.attributes.float('alpha', 1)
  if (alpha <= 0) return ctx.operator('Celu', [x], { alpha })
  if (alpha === 1) return emitUnary(ctx, 'elu', x, 1)
  const scaled = elementwise(ctx, 'div', x, ctx.scalar(alpha))
  return elementwise(ctx, 'mul', emitUnary(ctx, 'elu', scaled, 1), ctx.scalar(alpha))
})

/** x sigmoid(α x) */
function emitSwish(ctx: NodeContext, x: Value): Value {
  const alpha = ctx.attributes.float('alpha', 1)
  const inner = alpha === 1 ? x : elementwise(ctx, 'mul', x, ctx.scalar(alpha))
  return elementwise(ctx, 'mul', x, emitUnary(ctx, 'sigmoid', inner))
}

export const importSwish = importElements(emitSwish)

/** The first operand's Swish times the second operand. */
export function importSwiGLU(ctx: NodeContext): Value {
  const gate = ctx.input(0)
  const x = ctx.input(1)
  if (ctx.fitsKernels(gate, x)) return elementwise(ctx, 'mul', emitSwish(ctx, gate), x)
  return ctx.operator('Mul', [ctx.operator('Swish', [gate], readAttributes(ctx, 'Swish')), x])
}

/** x tanh(softplus(x)) */
export const importMish = importElements((ctx, x) =>
  elementwise(ctx, 'mul', x, emitUnary(ctx, 'tanh', emitUnary(ctx, 'softplus', x))),
)

/** x / (1 + |x|) */
export const importSoftsign = importElements((ctx, x) =>
  elementwise(ctx, 'div', x, elementwise(ctx, 'add', emitUnary(ctx, 'abs', x), ctx.scalar(1))),
)

function exactInner(ctx: NodeContext, x: Value): Value {
  return emitUnary(ctx, 'erf', elementwise(ctx, 'mul', x, ctx.scalar(Math.SQRT1_2)))
}

function tanhInner(ctx: NodeContext, x: Value): Value {
  const cubed = elementwise(ctx, 'mul', elementwise(ctx, 'mul', x, x), x)
  const sum = elementwise(ctx, 'add', elementwise(ctx, 'mul', cubed, ctx.scalar(0.044715)), x)
  return emitUnary(ctx, 'tanh', elementwise(ctx, 'mul', sum, ctx.scalar(Math.sqrt(2 / Math.PI))))
}

/** 0.5 x (1 + erf(x / √2)), or its approximation by tanh. */
export const importGelu = importElements((ctx, x) => {
  const approximate = ctx.attributes.string('approximate', 'none')
  if (approximate !== 'none' && approximate !== 'tanh')
    return ctx.unsupported(`approximate ${JSON.stringify(approximate)}`)
  const inner = approximate === 'none' ? exactInner(ctx, x) : tanhInner(ctx, x)
  const half = elementwise(ctx, 'mul', x, ctx.scalar(0.5))
  return elementwise(ctx, 'mul', half, elementwise(ctx, 'add', inner, ctx.scalar(1)))
})
