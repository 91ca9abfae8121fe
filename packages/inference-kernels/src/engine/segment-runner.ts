// SPDX-License-Identifier: Apache-2.0
import type { Kernels, ProgramHandle, TensorData } from '@mlcapsule/contracts'
import { guarded } from '../plan/bind-steps.ts'
import type { BoundAction, BoundOperator, BoundTensor } from '../plan/bound.ts'
import type { BoundSegment } from '../plan/program-binder.ts'
import { TensorViews, viewTensor } from './tensor-views.ts'

/** One segment, loaded into kernels. Views of the memory are made when it first runs, and again after the memory grew. */
export class SegmentRunner {
  readonly segment: BoundSegment
  readonly outputViews: TensorViews
  readonly #wantedViews: TensorViews
  readonly #kernels: Kernels
  readonly #handle: ProgramHandle
  #memory: Uint8Array | undefined
  #runs: readonly (() => void)[] = []

  /** @throws KernelError `KERNEL_RECORD_INVALID`, `KERNEL_MEMORY_TOO_LARGE` */
  constructor(segment: BoundSegment, kernels: Kernels) {
    if (kernels.memory.length < segment.memorySizeBytes) kernels.grow(segment.memorySizeBytes)
    this.segment = segment
    this.outputViews = new TensorViews(segment.outputs)
    this.#wantedViews = new TensorViews(segment.wanted ?? [])
    this.#kernels = kernels
    this.#handle = kernels.load(segment.records)
  }

  /** Allocates nothing but what operators do. @throws KernelError `KERNEL_VALUE_INVALID` */
  run(): void {
    if (this.#memory !== this.#kernels.memory) {
      this.#memory = this.#kernels.memory
      this.#runs = this.segment.actions.map((action) => this.#prepare(action))
    }
    for (const run of this.#runs) run()
  }

  /** What the next segment depends on, in memory of its own. */
  readWanted(): readonly TensorData[] {
    return this.#wantedViews.of(this.#kernels.memory).map((view) => view.slice() as TensorData)
  }

  unload(): void {
    this.#kernels.unload(this.#handle)
  }

  /** Zeroes what is known outside the kernels' memory: copies of small weights, and elements of queries that decide. */
  wipe(): void {
    const { actions, continuation } = this.segment
    const given = actions.flatMap((it) => (it.kind === 'operator' ? it.call.known : []))
    for (const data of [...given, ...continuation.state.contents.values()]) {
      if (data !== null) new Uint8Array(data.buffer, data.byteOffset, data.byteLength).fill(0)
    }
  }

  #prepare(action: BoundAction): () => void {
    switch (action.kind) {
      case 'records': {
        const { first, count } = action
        return () => this.#kernels.runSteps(this.#handle, first, count)
      }
      case 'store': {
        const target = viewTensor(action.to, this.#kernels.memory) as Uint8Array
        const data = action.data as Uint8Array
        return () => target.set(data)
      }
      case 'operator':
        return this.#prepareOperator(action.call)
    }
  }

  #prepareOperator({ operator, attributes, inputs, known, outputs, stepIndex }: BoundOperator): () => void {
    const { memory } = this.#kernels
    const operand = (it: BoundTensor, data: TensorData | null = null) => ({
      dtype: it.dtype,
      dims: it.shape,
      data: data ?? viewTensor(it, memory),
    })
    const call = {
      attributes: attributes as never,
      inputs: inputs.map((it, i) => (it === null ? null : operand(it, known[i]))),
      outputs: outputs.map((it) => operand(it)),
    }
    const act = () => operator.run(call)
    return () => guarded(stepIndex, act)
  }
}
