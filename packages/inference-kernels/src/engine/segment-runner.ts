// SPDX-License-Identifier: Apache-2.0
import type { Kernels, ProgramHandle, TensorData, WeightStream } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import { guarded } from '../plan/bind-steps.ts'
import type { BoundAction, BoundOperator, BoundTensor } from '../plan/bound.ts'
import type { BoundSegment } from '../plan/program-binder.ts'
import { TensorViews, viewTensor } from './tensor-views.ts'
import type { WeightPages } from './weight-pages.ts'

/** One segment, loaded into kernels. Views of the memory are made when it first runs, and again after the memory grew. */
export class SegmentRunner {
  readonly segment: BoundSegment
  readonly outputViews: TensorViews
  readonly #wantedViews: TensorViews
  readonly #kernels: Kernels
  readonly #handle: ProgramHandle
  readonly #pages: WeightPages | null
  #memory: Uint8Array | undefined
  #runs: readonly (() => void | Generator<Promise<void>, void, undefined>)[] = []
  /** Pages of the stream that are in memory by now, where they are opened here. */
  #fetchedCount = 0

  /**
   * @param pages to open between records what the segment streams; null where the kernels do that, or nothing is streamed
   * @throws KernelError `KERNEL_RECORD_INVALID`, `KERNEL_MEMORY_TOO_LARGE`
   */
  constructor(segment: BoundSegment, kernels: Kernels, pages: WeightPages | null) {
    if (kernels.memory.length < segment.memorySizeBytes) kernels.grow(segment.memorySizeBytes)
    this.segment = segment
    this.outputViews = new TensorViews(segment.outputs)
    this.#wantedViews = new TensorViews(segment.wanted ?? [])
    this.#kernels = kernels
    this.#pages = pages
    this.#handle =
      segment.stream === null || pages !== null
        ? kernels.load(segment.records)
        : kernels.load(segment.records, segment.stream)
  }

  /**
   * Allocates nothing but itself and what operators do. Yields what has to be waited for before it can go on.
   * @throws KernelError `KERNEL_VALUE_INVALID`, `KERNEL_PAGE_INVALID`, `KERNEL_DISPOSED`
   */
  *run(): Generator<Promise<void>, void, undefined> {
    if (this.#memory !== this.#kernels.memory) {
      this.#memory = this.#kernels.memory
      this.#runs = this.segment.actions.map((action) => this.#prepare(action))
    }
    for (const run of this.#runs) {
      const waits = run()
      if (waits !== undefined) yield* waits
    }
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

  #prepare(action: BoundAction): () => void | Generator<Promise<void>, void, undefined> {
    switch (action.kind) {
      case 'records': {
        const { first, count } = action
        const { stream } = this.segment
        const pages = this.#pages
        if (stream !== null && pages !== null) return () => this.#runStreamed(first, count, stream, pages)
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

  /** Opens what the next records need, runs them, and so on. */
  *#runStreamed(
    first: number,
    count: number,
    stream: WeightStream,
    pages: WeightPages,
  ): Generator<Promise<void>, void, undefined> {
    if (first === 0) this.#fetchedCount = 0
    for (let record = first, end = first; record < first + count; record = end) {
      const needed = stream.neededBy[record] as number
      for (; this.#fetchedCount < needed; this.#fetchedCount++) {
        const address = stream.addressesBytes[this.#fetchedCount] as number
        const target = this.#kernels.memory.subarray(address, address + pages.pageSizeBytes)
        yield pages.openInto(stream.pages[this.#fetchedCount] as number, target)
        if (this.#kernels.memory.length > 0) continue
        // Whoever disposed of the kernels has wiped their memory, but for what came later.
        target.fill(0)
        throw new KernelError('KERNEL_DISPOSED', 'the session was disposed while it answered')
      }
      while (end < first + count && stream.neededBy[end] === needed) end++
      this.#kernels.runSteps(this.#handle, record, end - record)
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
