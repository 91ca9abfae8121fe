// SPDX-License-Identifier: Apache-2.0
import { dequantizedConstant, rememberOrigin } from '../graph/dequantized.ts'
import type { Value } from '../graph/graph.ts'
import { dtypeOf } from '../onnx/tensor-proto.ts'
import type { NodeContext } from './context.ts'

/** Attributes of both directions. `saturate` is about floats of 8 bits. */
function readLayout(ctx: NodeContext): { readonly axis: number; readonly block_size: number } {
  ctx.attributes.ignore('saturate')
  return { axis: ctx.attributes.int('axis', 1), block_size: ctx.attributes.int('block_size', 0) }
}

const floatDtypes = ['float32', 'float16', 'float64']

export function importQuantizeLinear(ctx: NodeContext): Value {
  const layout = readLayout(ctx)
  const number = ctx.attributes.int('output_dtype', 0)
  const asked = number === 0 ? null : dtypeOf(number, 'the result')
  const precision = ctx.attributes.int('precision', 0)
  if (precision !== 0 && dtypeOf(precision, 'the precision') !== 'float32')
    ctx.unsupported('the precision of the division is not float32')
  const zeroPoint = ctx.optional(2)
  if (zeroPoint !== null && asked !== null && zeroPoint.dtype !== asked)
    ctx.mismatch(`output_dtype is ${asked}, the zero point ${zeroPoint.dtype}`)
  const output_dtype = asked ?? 'uint8'
  if (!['uint8', 'int8', 'uint16', 'int16'].includes(output_dtype))
    ctx.unsupported(`quantizes to ${output_dtype}`)
  return ctx.operator('QuantizeLinear', ctx.inputs, { ...layout, output_dtype })
}

/** Constant integers, such as quantized weights, become float32 constants. */
export function importDequantizeLinear(ctx: NodeContext): Value {
  const layout = readLayout(ctx)
  const number = ctx.attributes.int('output_dtype', 0)
  if (number !== 0 && !floatDtypes.includes(dtypeOf(number, 'the result')))
    ctx.unsupported('the result is not a float')
  const x = ctx.input(0)
  // Checks the operands; where the constant takes its place, nothing reads it and it goes.
  const result = ctx.operator('DequantizeLinear', ctx.inputs, layout)
  if (x.constant === null || layout.block_size !== 0) return result
  const scales = ctx.known(ctx.input(1))
  const zeroPoint = ctx.optional(2)
  const zeroPoints = zeroPoint === null ? [] : ctx.known(zeroPoint)
  if (scales === null || zeroPoints === null) return result
  const axis = scales.length === 1 ? 0 : ctx.axis(layout.axis, x.dims.length)
  const origin = {
    integers: x.constant,
    axis,
    scales: scales as readonly number[],
    zeroPoints: zeroPoints as readonly number[],
  }
  if (result.constant === null) return ctx.constant(dequantizedConstant(origin))
  rememberOrigin(result.constant, origin)
  return result
}
