// SPDX-License-Identifier: Apache-2.0
import type { Tensor, TensorData, TensorSpec } from '@mlcapsule/contracts'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'

/** Inputs that a model can be run on. */
export interface CheckedInputs {
  /** In the order of the header. */
  readonly tensors: readonly Tensor[]
  readonly byName: ReadonlyMap<string, Tensor>
  /** What each symbolic dimension is in this query. */
  readonly symbols: Readonly<Record<string, number>>
  /** Items of the batch: the first dimension of the first input, where that has two dimensions or more. */
  readonly itemCount: number
}

function invalid(index: number, member: string, numbers: readonly number[], detail: string): BridgeError {
  const field = `inputs[${index}].${member}`
  return new BridgeError('ENCLAVE_INPUT_INVALID', `${field}: ${detail}`, {
    field,
    numbers: [index, ...numbers],
  })
}

function bindShape(
  index: number,
  spec: TensorSpec,
  shape: readonly number[],
  symbols: Map<string, number>,
): void {
  if (shape.length !== spec.shape.length) {
    throw invalid(index, 'shape', [spec.shape.length, shape.length], 'another number of dimensions')
  }
  for (const [axis, expected] of spec.shape.entries()) {
    const found = shape[axis] as number
    const bound = typeof expected === 'number' ? expected : (symbols.get(expected) ?? found)
    if (found !== bound || found < 1) throw invalid(index, 'shape', [bound, found], 'another dimension')
    if (typeof expected === 'string') symbols.set(expected, found)
  }
}

/** As integers, in a loop of its own: images have many elements, and every query waits for it. */
function isFinite32({ buffer, byteOffset, length }: Float32Array): boolean {
  const bits = new Int32Array(buffer, byteOffset, length)
  const exponent = 0x7f80_0000
  for (let i = 0; i < length; i++) if (((bits[i] as number) & exponent) === exponent) return false
  return true
}

/** Whether every element is a number. Integers always are. */
export function isFiniteData(dtype: Tensor['dtype'], data: TensorData): boolean {
  if (data instanceof Float32Array) return isFinite32(data)
  if (data instanceof Float64Array) return data.every(Number.isFinite)
  // Half precision is carried as bits: an exponent of all ones is infinity or NaN.
  if (dtype === 'float16') return (data as Uint16Array).every((bits) => (bits & 0x7c00) !== 0x7c00)
  return true
}

/**
 * Holds a query against what the signed header declares, before anything is charged.
 * @throws BridgeError `ENCLAVE_INPUT_INVALID`, `ENCLAVE_INPUT_NOT_FINITE`
 */
export function checkInputs(
  inputs: ReadonlyMap<string, Tensor>,
  specs: readonly TensorSpec[],
): CheckedInputs {
  if (inputs.size !== specs.length) {
    throw new BridgeError('ENCLAVE_INPUT_INVALID', `expected ${specs.length} inputs, got ${inputs.size}`, {
      field: 'inputs',
      numbers: [specs.length, inputs.size],
    })
  }
  const symbols = new Map<string, number>()
  const tensors = specs.map((spec, index) => {
    const tensor = inputs.get(spec.name)
    if (tensor === undefined) throw invalid(index, 'name', [], 'missing')
    if (tensor.dtype !== spec.dtype) throw invalid(index, 'dtype', [], 'another dtype')
    bindShape(index, spec, tensor.shape, symbols)
    // Elsewhere a byte of 2 is as true as one of 1; computed with, it is two.
    if (tensor.dtype === 'bool' && !(tensor.data as Uint8Array).every((it) => it <= 1)) {
      throw invalid(index, 'data', [], 'an element that is neither 0 nor 1')
    }
    if (!isFiniteData(tensor.dtype, tensor.data)) {
      throw new BridgeError('ENCLAVE_INPUT_NOT_FINITE', `inputs[${index}] holds NaN or infinity`, {
        field: `inputs[${index}]`,
        numbers: [index],
      })
    }
    return tensor
  })
  const first = tensors[0]?.shape ?? []
  return {
    tensors,
    byName: inputs,
    symbols: Object.fromEntries(symbols),
    itemCount: first.length >= 2 ? (first[0] as number) : 1,
  }
}

/** One item of a batch, as views: tensors whose first dimension counts the items are cut, others are whole. */
export function itemOf(tensors: readonly Tensor[], item: number, itemCount: number): readonly Tensor[] {
  if (itemCount === 1) return tensors
  return tensors.map(({ dtype, shape, data }) => {
    if (shape[0] !== itemCount) return { dtype, shape, data }
    const size = data.length / itemCount
    return { dtype, shape: [1, ...shape.slice(1)], data: data.subarray(item * size, (item + 1) * size) }
  })
}
