// SPDX-License-Identifier: Apache-2.0
import { copyBytes, elementCount, elementSizeBytes, type Tensor, viewTensorData } from '@mlcapsule/contracts'
import { BridgeError, type BridgeErrorCode } from '../errors.ts'
import type { TensorDescriptor } from './requests.ts'

export interface NamedTensors {
  readonly descriptors: readonly TensorDescriptor[]
  readonly payloads: readonly Uint8Array[]
}

/** Takes tensors apart into what goes into the message and what goes beside it. The payloads are views, not copies. */
export function splitTensors(tensors: ReadonlyMap<string, Tensor>): NamedTensors {
  const descriptors: TensorDescriptor[] = []
  const payloads: Uint8Array[] = []
  for (const [name, { dtype, shape, data }] of tensors) {
    descriptors.push({ name, dtype, shape: [...shape] })
    payloads.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return { descriptors, payloads }
}

/** How errors call the list, and which side is at fault: inputs come from a user, outputs from the enclave. */
const codes = {
  inputs: 'ENCLAVE_INPUT_INVALID',
  outputs: 'BRIDGE_PROTOCOL_VIOLATION',
} as const satisfies Record<string, BridgeErrorCode>

/**
 * Puts tensors together again.
 * @throws BridgeError `ENCLAVE_INPUT_INVALID` for inputs, `BRIDGE_PROTOCOL_VIOLATION` for outputs: a repeated name, or a
 * payload that does not have the size that dtype and shape give
 */
export function joinTensors(
  listName: keyof typeof codes,
  descriptors: readonly TensorDescriptor[],
  payloads: readonly Uint8Array[],
): Map<string, Tensor> {
  const refuse = (field: string, detail: string, numbers: readonly number[]): never => {
    throw new BridgeError(codes[listName], `${field}: ${detail}`, { field, numbers })
  }
  if (descriptors.length !== payloads.length) {
    const figures = [descriptors.length, payloads.length]
    refuse(listName, `${descriptors.length} tensors, but ${payloads.length} payloads`, figures)
  }
  const tensors = new Map<string, Tensor>()
  for (const [index, { name, dtype, shape }] of descriptors.entries()) {
    const payload = payloads[index] as Uint8Array
    const field = `${listName}[${index}]`
    if (tensors.has(name)) refuse(`${field}.name`, 'the name is repeated', [index])
    const count = elementCount(shape)
    const sizeBytes = count * elementSizeBytes(dtype)
    if (payload.length !== sizeBytes) {
      const figures = [index, sizeBytes, payload.length].filter(Number.isSafeInteger)
      refuse(`${field}.data`, `expected ${sizeBytes} bytes, got ${payload.length}`, figures)
    }
    // Typed arrays ask for aligned memory; a transport may deliver a view into a larger buffer.
    const aligned = payload.byteOffset % 8 === 0 ? payload : copyBytes(payload)
    tensors.set(name, {
      dtype,
      shape,
      data: viewTensorData(dtype, aligned.buffer, aligned.byteOffset, count),
    })
  }
  return tensors
}
