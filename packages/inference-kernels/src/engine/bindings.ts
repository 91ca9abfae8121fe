// SPDX-License-Identifier: Apache-2.0
import type { Kernels, TensorData } from '@mlcapsule/contracts'
import type { BoundPort } from '../plan/bound.ts'
import { keptElementCount, type ProgramBinder } from '../plan/program-binder.ts'
import { SegmentRunner } from './segment-runner.ts'

/** Segments that are kept for queries of the same shapes, and bytes of their records; beyond that all are forgotten. */
const keptSegmentCount = 256
const keptRecordsSizeBytes = 64 * 1024 * 1024

/** A segment and the ones that have followed it, by the elements that decided. */
export interface BindingNode {
  readonly runner: SegmentRunner
  readonly next: Map<string, BindingNode>
  readonly isKept: boolean
}

/** A binding to dims of inputs. */
export interface BindingRoot {
  readonly inputs: readonly BoundPort[]
  readonly node: BindingNode
}

/** What a program has been bound to so far: over one copy of the weights, a binding for each shape of query. */
export class Bindings {
  readonly #binder: ProgramBinder
  readonly #kernels: Kernels
  readonly #roots = new Map<string, BindingRoot>()
  readonly #runners: SegmentRunner[] = []
  #recordsSizeBytes = 0
  /** Whether a segment has found no room: the next query begins anew. */
  #isFull = false

  constructor(binder: ProgramBinder, kernels: Kernels) {
    this.#binder = binder
    this.#kernels = kernels
  }

  /** @throws KernelError `PROGRAM_*`, `KERNEL_MEMORY_TOO_LARGE` */
  root(inputDims: readonly (readonly number[])[]): BindingRoot {
    const key = inputDims.map((dims) => dims.join()).join(';')
    if (this.#isFull) this.#forget()
    const known = this.#roots.get(key)
    if (known !== undefined) return known
    if (!this.#hasRoom()) this.#forget()
    const { inputs, segment } = this.#binder.begin(inputDims)
    const runner = this.#keep(new SegmentRunner(segment, this.#kernels))
    const root = { inputs, node: { runner, next: new Map(), isKept: true } }
    this.#roots.set(key, root)
    return root
  }

  /** What follows a segment that has run. One that depends on many elements is made for this once: `release` it. */
  next(node: BindingNode): BindingNode {
    const contents = node.runner.readWanted()
    const isKept = node.isKept && contents.every(({ length }) => length <= keptElementCount)
    const key = isKept ? contents.map(keyOf).join(';') : ''
    const known = isKept ? node.next.get(key) : undefined
    if (known !== undefined) return known
    const segment = this.#binder.resume(node.runner.segment.continuation, contents)
    const runner = new SegmentRunner(segment, this.#kernels)
    const hasRoom = this.#hasRoom()
    const next = { runner, next: new Map<string, BindingNode>(), isKept: isKept && hasRoom }
    if (next.isKept) {
      this.#keep(runner)
      node.next.set(key, next)
    } else if (isKept) this.#isFull = true
    return next
  }

  /** Bytes of all records that are kept. */
  get recordsSizeBytes(): number {
    return this.#recordsSizeBytes
  }

  /** Forgets a segment that was made for one query. */
  release(node: BindingNode): void {
    if (!node.isKept) node.runner.unload()
  }

  #hasRoom(): boolean {
    return this.#runners.length < keptSegmentCount && this.#recordsSizeBytes < keptRecordsSizeBytes
  }

  #keep(runner: SegmentRunner): SegmentRunner {
    this.#runners.push(runner)
    this.#recordsSizeBytes += runner.segment.records.byteLength
    return runner
  }

  #forget(): void {
    for (const runner of this.#runners) runner.unload()
    this.#runners.length = 0
    this.#recordsSizeBytes = 0
    this.#isFull = false
    this.#roots.clear()
  }
}

const keyOf = (data: TensorData) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join()
