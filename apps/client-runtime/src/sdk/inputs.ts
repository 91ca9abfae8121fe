// SPDX-License-Identifier: Apache-2.0
import { assertTensor, type Tensor, type TensorSpec } from '@mlcapsule/contracts'
import { ClientError } from '../errors.ts'

/** Inputs of a query by name; a model with one input takes the tensor alone. */
export type Inputs = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>> | Tensor

function isTensor(value: Inputs): value is Tensor {
  return 'dtype' in value && 'shape' in value && 'data' in value && typeof value.dtype === 'string'
}

/**
 * Brings inputs into the order of the model's signature and checks them against it, so that what cannot be right never
 * reaches the enclave.
 * @throws ClientError `CLIENT_INPUT_INVALID`; ContractError `CONTRACT_TENSOR_INVALID`
 */
export function matchInputs(inputs: Inputs, specs: readonly TensorSpec[]): ReadonlyMap<string, Tensor> {
  const given = named(inputs, specs)
  const sizes = new Map<string, number>()
  const matched = new Map<string, Tensor>()
  for (const spec of specs) {
    const tensor = given.get(spec.name)
    if (tensor === undefined)
      throw mismatch(spec.name, `it is missing; the inputs are ${specs.map(describe).join(', ')}`)
    assertTensor(tensor, spec.name)
    assertFits(tensor, spec, sizes)
    matched.set(spec.name, tensor)
  }
  for (const name of given.keys()) {
    if (!matched.has(name))
      throw mismatch(name, `no such input; the inputs are ${specs.map(describe).join(', ')}`)
  }
  return matched
}

function named(inputs: Inputs, specs: readonly TensorSpec[]): ReadonlyMap<string, Tensor> {
  if (inputs instanceof Map) return inputs
  if (!isTensor(inputs)) return new Map(Object.entries(inputs as Record<string, Tensor>))
  const [only, ...others] = specs
  if (only === undefined || others.length > 0) {
    throw mismatch('inputs', `give a tensor by name for each of ${specs.map(describe).join(', ')}`)
  }
  return new Map([[only.name, inputs]])
}

/** @param sizes what the named dimensions stand for in this query, filled as they are met */
function assertFits(tensor: Tensor, spec: TensorSpec, sizes: Map<string, number>): void {
  const fits =
    tensor.dtype === spec.dtype &&
    tensor.shape.length === spec.shape.length &&
    tensor.shape.every((size, i) => {
      const expected = spec.shape[i] as number | string
      if (typeof expected === 'number') return size === expected
      const known = sizes.get(expected) ?? size
      sizes.set(expected, known)
      return size === known && size > 0
    })
  if (fits) return
  throw mismatch(spec.name, `expected ${describe(spec)}, got ${tensor.dtype}[${tensor.shape.join(', ')}]`)
}

function mismatch(name: string, detail: string): ClientError {
  return new ClientError('CLIENT_INPUT_INVALID', `${name}: ${detail}`, { field: name })
}

/** `image float32[1, 3, 224, 224]` */
export function describe(spec: TensorSpec): string {
  return `${spec.name} ${spec.dtype}[${spec.shape.join(', ')}]`
}
