// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import { KernelError } from '../errors.ts'
import type { AttributeValue } from '../operators/attributes.ts'
import { OperatorFault } from '../operators/fault.ts'
import { completeAttributes, type Operand } from '../operators/operator.ts'
import { operatorOf } from '../operators/registry.ts'
import { product } from '../operators/support.ts'
import type { MlcapsuleBackend } from './backend.ts'

/** An operand that lies in the JavaScript heap: axes, counts. */
export function integerOperand(values: readonly number[]): Operand {
  return { dtype: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) }
}

/** A tensor as operators see it, until the next tensor is made. */
export function operandOf(backend: MlcapsuleBackend, tensor: TensorInfo): Operand {
  return { dtype: tensor.dtype as DType, dims: tensor.shape, data: backend.numbers(tensor) }
}

/** The one result of an operator. */
export function runOperator(
  backend: MlcapsuleBackend,
  name: string,
  inputs: readonly (TensorInfo | Operand)[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): TensorInfo {
  return runOperatorForAll(backend, name, inputs, attributes, 1)[0] as TensorInfo
}

/** One of the operators that all kernel backends share, on tensors. Its int64 results become int32, as tfjs has them. */
export function runOperatorForAll(
  backend: MlcapsuleBackend,
  name: string,
  inputs: readonly (TensorInfo | Operand)[],
  attributes: Readonly<Record<string, AttributeValue>>,
  outputCount: number,
): TensorInfo[] {
  const operator = operatorOf(name)
  if (operator === undefined) throw new TypeError(`there is no operator ${name}`)
  const operands = () => inputs.map((it) => ('dataId' in it ? operandOf(backend, it) : it))
  const complete = completeAttributes(operator, attributes) as never
  const made: TensorInfo[] = []
  try {
    const types = operator.infer({ inputs: operands(), attributes: complete, outputCount })
    const results = types.slice(0, outputCount).map(({ dtype, dims }) => {
      const shape = dims as readonly number[]
      made.push(backend.make(shape, dtype === 'int64' ? 'int32' : (dtype as 'float32')))
      const wide = dtype === 'int64' ? new BigInt64Array(product(shape)) : null
      return { dtype, dims: shape, wide }
    })
    const outputs = results.map(({ dtype, dims, wide }, i) => ({
      dtype,
      dims,
      data: wide ?? (backend.numbers(made[i] as TensorInfo) as TensorData),
    }))
    operator.run({ inputs: operands(), attributes: complete, outputs })
    for (const [i, { wide }] of results.entries()) {
      if (wide !== null) backend.numbers(made[i] as TensorInfo).set(Array.from(wide, Number))
    }
    return made
  } catch (error) {
    backend.release(...made)
    if (!(error instanceof OperatorFault)) throw error
    throw new KernelError('KERNEL_VALUE_INVALID', `${name}: ${error.message}`, { cause: error })
  }
}
