// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, ProgramHandle } from '@mlcapsule/contracts'
import { recordWordCount } from '../abi.generated.ts'
import { KernelError } from '../errors.ts'
import { assertRecords } from '../records/check.ts'
import { assertGrowth, assertMemoryOptions, growthError, handleError } from '../records/memory-options.ts'
import { type AnyRecord, readRecord } from '../records/record.ts'
import { assertStepRange } from '../records/step-range.ts'
import { runConv2d, runDepthwiseConv2d, runPool2d } from './conv.ts'
import { runBinary, runSoftmax, runUnary } from './elements.ts'
import { type MemoryViews, runCopy, runFill, viewMemory } from './moves.ts'
import { runDense, runMatmul } from './products.ts'
import {
  runDequantize,
  runQuantize,
  runQuantizedAdd,
  runQuantizedConv2d,
  runQuantizedMaxPool2d,
} from './quantized.ts'
import { assertKnownAnswers } from './self-test.ts'

function runRecord(record: AnyRecord, floats: Float32Array, views: MemoryViews): void {
  switch (record.op) {
    case 'conv2d':
      runConv2d(record, floats)
      break
    case 'depthwiseConv2d':
      runDepthwiseConv2d(record, floats)
      break
    case 'dense':
      runDense(record, floats)
      break
    case 'matmul':
      runMatmul(record, floats)
      break
    case 'pool2d':
      runPool2d(record, floats)
      break
    case 'unary':
      runUnary(record, floats)
      break
    case 'binary':
      runBinary(record, floats)
      break
    case 'softmax':
      runSoftmax(record, floats)
      break
    case 'copy':
      runCopy(record, views)
      break
    case 'fill':
      runFill(record, views)
      break
    case 'quantizedConv2d':
      runQuantizedConv2d(record, views)
      break
    case 'quantize':
      runQuantize(record, views)
      break
    case 'dequantize':
      runDequantize(record, views)
      break
    case 'quantizedAdd':
      runQuantizedAdd(record, views)
      break
    case 'quantizedMaxPool2d':
      runQuantizedMaxPool2d(record, views)
      break
  }
}

class ReferenceKernels implements Kernels {
  readonly isa = 'reference'
  #memory: Uint8Array
  readonly #maxMemorySizeBytes: number
  #floats: Float32Array
  #views: MemoryViews
  readonly #programs: (readonly AnyRecord[] | undefined)[] = []

  constructor(memorySizeBytes: number, maxMemorySizeBytes: number) {
    const buffer = new ArrayBuffer(Math.ceil(memorySizeBytes / 8) * 8)
    this.#maxMemorySizeBytes = maxMemorySizeBytes
    this.#memory = new Uint8Array(buffer, 0, memorySizeBytes)
    this.#floats = new Float32Array(buffer)
    this.#views = viewMemory(buffer)
  }

  get memory(): Uint8Array {
    return this.#memory
  }

  load(records: Int32Array): ProgramHandle {
    this.#assertAlive()
    const copy = records.slice()
    assertRecords(copy, this.#memory.length)
    const program: AnyRecord[] = []
    for (let offset = 0; offset < copy.length; offset += recordWordCount) {
      program.push(readRecord(copy, offset) as AnyRecord)
    }
    const free = this.#programs.indexOf(undefined)
    const place = free >= 0 ? free : this.#programs.length
    this.#programs[place] = program
    return place as ProgramHandle
  }

  unload(handle: ProgramHandle): void {
    this.#assertAlive()
    if (this.#programs[handle] === undefined) throw handleError(handle)
    this.#programs[handle] = undefined
  }

  grow(memorySizeBytes: number): void {
    this.#assertAlive()
    assertGrowth(memorySizeBytes, this.#memory.length, this.#maxMemorySizeBytes)
    const old = this.#memory
    let buffer: ArrayBuffer
    try {
      buffer = new ArrayBuffer(Math.ceil(memorySizeBytes / 8) * 8)
    } catch (cause) {
      throw growthError(memorySizeBytes, cause)
    }
    this.#memory = new Uint8Array(buffer, 0, memorySizeBytes)
    this.#memory.set(old)
    old.fill(0)
    this.#floats = new Float32Array(buffer)
    this.#views = viewMemory(buffer)
  }

  runStep(handle: ProgramHandle, stepIndex: number): void {
    this.runSteps(handle, stepIndex, 1)
  }

  runSteps(handle: ProgramHandle, firstStep: number, stepCount: number): void {
    this.#assertAlive()
    const program = this.#programs[handle]
    assertStepRange(program?.length, handle, firstStep, stepCount)
    for (let step = firstStep; step < firstStep + stepCount; step++) {
      runRecord(program?.[step] as AnyRecord, this.#floats, this.#views)
    }
  }

  selfTest(): void {
    this.#assertAlive()
    assertKnownAnswers((record, floats) =>
      runRecord(record, floats, viewMemory(floats.buffer as ArrayBuffer)),
    )
  }

  dispose(): void {
    this.#views[1].fill(0)
    this.#programs.length = 0
    this.#memory = new Uint8Array(0)
  }

  #assertAlive(): void {
    if (this.#memory.length === 0) throw new KernelError('KERNEL_DISPOSED', 'these kernels are disposed')
  }
}

/**
 * Plain TypeScript kernels that sum in double precision: the measure of all others, and good for folding constants.
 * Far too slow for real models.
 */
export const referenceKernels: KernelBackend = {
  kind: 'kernel-backend',
  name: 'reference',
  version: 1,
  async create(options) {
    const { threadCount = 1 } = options
    const { memorySizeBytes, maxMemorySizeBytes } = assertMemoryOptions(options)
    if (!Number.isSafeInteger(threadCount) || threadCount < 1) {
      const detail = `expected a positive integer, got ${threadCount}`
      throw new KernelError('KERNEL_OPTION_INVALID', detail, { field: 'threadCount' })
    }
    try {
      return new ReferenceKernels(memorySizeBytes, maxMemorySizeBytes)
    } catch (cause) {
      const detail = `this JavaScript engine does not give ${memorySizeBytes} bytes in one piece`
      throw new KernelError('KERNEL_MEMORY_TOO_LARGE', detail, { field: 'memorySizeBytes', cause })
    }
  },
}
