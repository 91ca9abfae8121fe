// SPDX-License-Identifier: Apache-2.0
import { type Kernels, type TensorData, viewTensorData } from '@mlcapsule/contracts'
import type { OpRecordName } from '../abi.generated.ts'
import { makeRecord, type OpRecordFields } from '../records/record.ts'
import { type Block, BlockHeap } from './block-heap.ts'

/** Element types of tfjs that lie in the kernels' memory. */
export type NumberDType = 'float32' | 'int32' | 'bool'
export type NumberArray = Float32Array | Int32Array | Uint8Array

const elementSizes: Readonly<Record<NumberDType, number>> = { float32: 4, int32: 4, bool: 1 }

/** The memory of one instance of the kernels, all of it given to tensors. */
export class TensorMemory {
  readonly #kernels: Kernels
  readonly #heap: BlockHeap
  readonly #maxSizeBytes: number

  constructor(kernels: Kernels, maxSizeBytes: number) {
    this.#kernels = kernels
    this.#maxSizeBytes = maxSizeBytes
    this.#heap = new BlockHeap(kernels.memory.length, (sizeBytes) => this.#grow(sizeBytes))
  }

  get isa(): string {
    return this.#kernels.isa
  }

  get usedSizeBytes(): number {
    return this.#heap.usedSizeBytes
  }

  /** Place for elements, which hold garbage. Views that were taken before are stale if the memory had to grow. */
  allocate(dtype: NumberDType, count: number): Block {
    return this.#heap.allocate(count * elementSizes[dtype])
  }

  free(block: Block): void {
    this.#heap.free(block)
  }

  /** Elements of a block, until the next `allocate`. */
  view({ addressBytes }: Block, dtype: NumberDType, count: number): NumberArray {
    const { memory } = this.#kernels
    return viewTensorData(dtype, memory.buffer, memory.byteOffset + addressBytes, count) as NumberArray &
      TensorData
  }

  /** Runs one record. @throws KernelError `KERNEL_RECORD_INVALID` */
  run<Op extends OpRecordName>(op: Op, fields: OpRecordFields<Op>): void {
    const handle = this.#kernels.load(makeRecord(op, fields))
    try {
      this.#kernels.runSteps(handle, 0, 1)
    } finally {
      this.#kernels.unload(handle)
    }
  }

  dispose(): void {
    this.#kernels.dispose()
  }

  /** By half as much again, where there is room, so that many small tensors do not each move the memory. */
  #grow(neededBytes: number): number {
    const roomyBytes = Math.min(Math.floor(this.#kernels.memory.length * 1.5), this.#maxSizeBytes)
    const sizeBytes = Math.max(neededBytes, roomyBytes)
    this.#kernels.grow(sizeBytes)
    return sizeBytes
  }
}
