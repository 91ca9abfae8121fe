// SPDX-License-Identifier: Apache-2.0
import type { Kernels, TensorData } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundPort, BoundTensor } from '../plan/bound.ts'
import { type BoundSegment, keptElementCount, type ProgramBinder } from '../plan/program-binder.ts'
import { recordsSizeBytes } from './memory-plan.ts'
import { SegmentRunner } from './segment-runner.ts'
import { TensorViews } from './tensor-views.ts'
import type { WeightPages } from './weight-pages.ts'

/** What is kept for queries of shapes that came before. Beyond that, the shapes that were asked longest ago are forgotten. */
const keptSegmentCount = 256
const keptRecordsSizeBytes = 64 * 1024 * 1024

/** A segment and the ones that have followed it, by the elements that decided. */
export interface BindingNode {
  readonly root: BindingRoot
  readonly runner: SegmentRunner
  readonly next: Map<string, BindingNode>
  readonly isKept: boolean
}

/** A binding to the dims of what a query begins with. */
export class BindingRoot {
  readonly inputs: readonly BoundPort[]
  readonly inputViews: TensorViews
  readonly states: readonly BoundTensor[]
  readonly node: BindingNode
  /** All segments that are kept. */
  readonly runners: SegmentRunner[]

  constructor({ inputs, states }: ReturnType<ProgramBinder['begin']>, runner: SegmentRunner) {
    this.inputs = inputs
    this.inputViews = new TensorViews(inputs)
    this.states = states
    this.runners = [runner]
    this.node = { root: this, runner, next: new Map(), isKept: true }
  }
}

export interface BindingsOptions {
  /** Where weights that do not stay in memory are opened between records; null where the kernels do that. */
  readonly pages?: WeightPages | null
  /** What records may take, where there is a budget. */
  readonly maxRecordsSizeBytes?: number
}

/** What a program has been bound to so far: over one copy of the weights, a binding for each shape of query. */
export class Bindings {
  readonly #binder: ProgramBinder
  readonly #kernels: Kernels
  /** The one that was asked for last comes last. */
  readonly #roots = new Map<string, BindingRoot>()
  readonly #pages: WeightPages | null
  readonly #maxRecordsSizeBytes: number
  #segmentCount = 0
  #recordsSizeBytes = 0

  constructor(binder: ProgramBinder, kernels: Kernels, options: BindingsOptions = {}) {
    this.#binder = binder
    this.#kernels = kernels
    this.#pages = options.pages ?? null
    this.#maxRecordsSizeBytes = options.maxRecordsSizeBytes ?? Number.POSITIVE_INFINITY
  }

  /**
   * @param entryDims one list per input, then one per state
   * @throws KernelError `PROGRAM_*`, `KERNEL_MEMORY_TOO_LARGE`
   */
  root(entryDims: readonly (readonly number[])[]): BindingRoot {
    const key = entryDims.map((dims) => dims.join()).join(';')
    const known = this.#roots.get(key)
    if (known !== undefined) {
      this.#roots.delete(key)
      this.#roots.set(key, known)
      // One that has taken all the room by itself begins anew: nothing that it meets now could be kept.
      if (this.#hasRoom(0) || this.#roots.size > 1) return known
      this.#forget(key, known)
    }
    const begun = this.#binder.begin(entryDims)
    this.#makeRoom(recordsSizeBytes(begun.segment))
    const root = new BindingRoot(begun, this.#load(begun.segment))
    this.#roots.set(key, root)
    this.#count(root.node.runner)
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
    const { root } = node
    if (isKept || this.#maxRecordsSizeBytes < keptRecordsSizeBytes) {
      this.#makeRoom(recordsSizeBytes(segment), root)
    }
    const runner = this.#load(segment)
    const next = {
      root,
      runner,
      next: new Map(),
      isKept: isKept && this.#hasRoom(recordsSizeBytes(segment)),
    }
    if (next.isKept) {
      root.runners.push(runner)
      this.#count(runner)
      node.next.set(key, next)
    }
    return next
  }

  /** Wipes and forgets all that is kept. What is loaded goes with the kernels. */
  dispose(): void {
    for (const { runners } of this.#roots.values()) for (const runner of runners) runner.wipe()
    this.#roots.clear()
  }

  /** Bytes of all records that are kept, and of what says how their weights come. */
  get recordsSizeBytes(): number {
    return this.#recordsSizeBytes
  }

  /** Forgets a segment that was made for one query. */
  release(node: BindingNode): void {
    if (!node.isKept) node.runner.unload()
  }

  #count({ segment }: SegmentRunner): void {
    this.#segmentCount++
    this.#recordsSizeBytes += recordsSizeBytes(segment)
  }

  /** @throws KernelError `KERNEL_BUDGET_TOO_SMALL` beside those of the runner */
  #load(segment: BoundSegment): SegmentRunner {
    const sizeBytes = recordsSizeBytes(segment)
    if (this.#recordsSizeBytes + sizeBytes > this.#maxRecordsSizeBytes) {
      const detail = `the steps of a query of this size take ${sizeBytes} bytes, the budget leaves ${this.#maxRecordsSizeBytes}`
      throw new KernelError('KERNEL_BUDGET_TOO_SMALL', detail, { field: 'memoryBudgetSizeBytes' })
    }
    return new SegmentRunner(segment, this.#kernels, this.#pages)
  }

  #hasRoom(sizeBytes: number): boolean {
    const most = Math.min(keptRecordsSizeBytes, this.#maxRecordsSizeBytes)
    return this.#segmentCount < keptSegmentCount && this.#recordsSizeBytes + sizeBytes <= most
  }

  /** Forgets bindings, the oldest first, but never the one that is in use. */
  #makeRoom(sizeBytes: number, inUse?: BindingRoot): void {
    for (const [key, root] of this.#roots) {
      if (this.#hasRoom(sizeBytes)) return
      if (root !== inUse) this.#forget(key, root)
    }
  }

  #forget(key: string, root: BindingRoot): void {
    this.#roots.delete(key)
    this.#segmentCount -= root.runners.length
    for (const runner of root.runners) {
      this.#recordsSizeBytes -= recordsSizeBytes(runner.segment)
      runner.unload()
      runner.wipe()
    }
  }
}

const keyOf = (data: TensorData) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength).join()
