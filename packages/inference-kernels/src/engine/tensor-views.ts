// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes, type TensorData, viewTensorData } from '@mlcapsule/contracts'
import type { BoundTensor } from '../plan/bound.ts'

/** The elements of a placed tensor, as a view of the kernels' memory. */
export function viewTensor({ dtype, addressBytes, sizeBytes }: BoundTensor, memory: Uint8Array): TensorData {
  const count = sizeBytes / elementSizeBytes(dtype)
  return viewTensorData(dtype, memory.buffer, memory.byteOffset + addressBytes, count)
}

/** Views of placed tensors, kept from query to query: made when they are first asked for, and again after the memory grew. */
export class TensorViews {
  readonly #tensors: readonly BoundTensor[]
  #memory: Uint8Array | undefined
  #views: readonly TensorData[] = []

  constructor(tensors: readonly BoundTensor[]) {
    this.#tensors = tensors
  }

  /** One view per tensor, in their order. */
  of(memory: Uint8Array): readonly TensorData[] {
    if (this.#memory !== memory) {
      this.#views = this.#tensors.map((tensor) => viewTensor(tensor, memory))
      this.#memory = memory
    }
    return this.#views
  }
}
