// SPDX-License-Identifier: Apache-2.0
import { BridgeError, bridgeLimits, type SequencePosition } from '@mlcapsule/enclave-bridge/protocol'
import type { SessionState } from '@mlcapsule/inference-kernels'
import type { Model } from './model.ts'

/** A sequence of queries that go on from one another. */
export interface Sequence {
  readonly state: SessionState
  /** Queries that have been answered in it: the number of the next one. */
  readonly step: number
}

/**
 * The sequences that a client has open. What they hold is in memory alone: no record has it, and it ends with the process.
 * The protocol bounds their number and what they hold together.
 */
export class Sequences {
  readonly #model: Model
  readonly #open = new Map<number, { readonly state: SessionState; step: number }>()
  #lastId: number = 0

  constructor(model: Model) {
    this.#model = model
  }

  /**
   * @returns an id that no other sequence of this process has or had
   * @throws BridgeError `ENCLAVE_SEQUENCE_UNSUPPORTED`, `ENCLAVE_SEQUENCE_LIMIT_EXCEEDED`
   */
  open(): number {
    const { sequenceMaxCount, sequencesMaxSizeBytes } = bridgeLimits
    if (!this.#model.hasStates) {
      throw refusal('ENCLAVE_SEQUENCE_UNSUPPORTED', 'the model keeps nothing from query to query')
    }
    if (this.#open.size >= sequenceMaxCount) {
      throw refusal('ENCLAVE_SEQUENCE_LIMIT_EXCEEDED', `${sequenceMaxCount} are open`, [sequenceMaxCount])
    }
    const id = ++this.#lastId
    this.#open.set(id, { state: this.#model.createState(sequencesMaxSizeBytes), step: 0 })
    return id
  }

  /** @throws BridgeError `ENCLAVE_SEQUENCE_UNKNOWN` */
  find(id: number): Sequence {
    const sequence = this.#open.get(id)
    if (sequence === undefined) throw refusal('ENCLAVE_SEQUENCE_UNKNOWN', `no sequence ${id} is open`, [id])
    return sequence
  }

  /** @throws BridgeError `ENCLAVE_SEQUENCE_STEP_MISMATCH` for a query that is not the next one */
  assertNext({ id, step }: SequencePosition): void {
    const next = this.find(id).step
    if (next === step) return
    const detail = `the next query of the sequence is ${next}, this one is ${step}`
    throw refusal('ENCLAVE_SEQUENCE_STEP_MISMATCH', detail, [next, step])
  }

  /**
   * Checks what a query would leave, before it is settled.
   * @throws BridgeError `ENCLAVE_SEQUENCE_LIMIT_EXCEEDED`
   */
  assertRoom(id: number): void {
    const { sequencesMaxSizeBytes } = bridgeLimits
    let sizeBytes = this.find(id).state.stagedSizeBytes ?? 0
    for (const [other, { state }] of this.#open) if (other !== id) sizeBytes += state.sizeBytes
    if (sizeBytes <= sequencesMaxSizeBytes) return
    const detail = `all sequences together would hold ${sizeBytes} bytes, at most ${sequencesMaxSizeBytes}`
    throw refusal('ENCLAVE_SEQUENCE_LIMIT_EXCEEDED', detail, [sequencesMaxSizeBytes])
  }

  /** The query is settled: what it left is what the next one begins with. */
  advance(id: number): void {
    const sequence = this.#open.get(id)
    if (sequence === undefined) return
    sequence.state.commit()
    sequence.step++
  }

  /** @throws BridgeError `ENCLAVE_SEQUENCE_UNKNOWN` */
  close(id: number): void {
    this.find(id).state.dispose()
    this.#open.delete(id)
  }

  wipe(): void {
    for (const { state } of this.#open.values()) state.dispose()
    this.#open.clear()
  }
}

function refusal(
  code: `ENCLAVE_SEQUENCE_${'LIMIT_EXCEEDED' | 'STEP_MISMATCH' | 'UNKNOWN' | 'UNSUPPORTED'}`,
  detail: string,
  numbers: readonly number[] = [],
): BridgeError {
  return new BridgeError(code, detail, { field: 'sequence', numbers })
}
