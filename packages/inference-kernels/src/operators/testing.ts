// SPDX-License-Identifier: Apache-2.0
import type { DType, Tensor, TensorData } from '@mlcapsule/contracts'
import type { AttributeValue } from './attributes.ts'
import { OperatorFault } from './fault.ts'
import { completeAttributes, type Operand } from './operator.ts'
import { operatorOf } from './registry.ts'
import { product } from './support.ts'

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as Readonly<Record<DType, new (count: number) => TensorData>>

/** Calls an operator on tensors as the engine does: types first, then its run on outputs that hold garbage. */
export function runOperator(
  name: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputCount = 1,
): Tensor[] {
  const operator = operatorOf(name)
  if (operator === undefined) throw new TypeError(`no operator ${name}`)
  const operands = inputs.map((it) => it && { dtype: it.dtype, dims: it.shape, data: it.data })
  const complete = completeAttributes(operator, attributes) as never
  const types = operator.infer({ inputs: operands, attributes: complete, outputCount }).slice(0, outputCount)
  const outputs: Operand[] = types.map(({ dtype, dims }) => {
    const known = dims as readonly number[]
    const data = new arrays[dtype](product(known))
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data.fill(77n)
    else data.fill(77)
    return { dtype, dims: known, data }
  })
  if (operator.isAlias) outputs[0]?.data.set(operands[0]?.data as never)
  else operator.run({ inputs: operands, attributes: complete, outputs })
  return outputs.map(({ dtype, dims, data }) => ({ dtype, shape: dims, data }))
}

/** The kind of fault that a call gives; null where it gives none. */
export function faultKind(
  name: string,
  inputs: readonly (Tensor | null)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  outputCount = 1,
): OperatorFault['kind'] | null {
  try {
    runOperator(name, inputs, attributes, outputCount)
    return null
  } catch (error) {
    if (error instanceof OperatorFault) return error.kind
    throw error
  }
}
