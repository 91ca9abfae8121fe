// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import type { SequencePosition } from '../protocol/requests.ts'
import type { CallOptions } from './lane.ts'

/**
 * A sequence of queries that go on from one another, such as a prompt and the tokens after it. What a query has left is kept
 * once its answer is settled; one that is refused, blocked or fails leaves it as it was. A query that the caller gave up may
 * have been answered all the same: repeat it with its retry id.
 */
export class EnclaveSequence {
  readonly #id: number
  readonly #close: (id: number, options?: CallOptions) => Promise<void>
  #step: number = 0
  #last: { readonly retryId: Uint8Array; readonly step: number } | undefined

  constructor(id: number, close: (id: number, options?: CallOptions) => Promise<void>) {
    this.#id = id
    this.#close = close
  }

  /** Queries that have been answered in it. */
  get step(): number {
    return this.#step
  }

  /** Where the next query stands; one that is repeated stands where it stood before. */
  positionOf(retryId: Uint8Array | undefined): SequencePosition {
    const isRepeated =
      retryId !== undefined && this.#last !== undefined && equalBytes(this.#last.retryId, retryId)
    const step = isRepeated ? (this.#last?.step ?? this.#step) : this.#step
    this.#last = retryId === undefined ? undefined : { retryId: retryId.slice(), step }
    return { id: this.#id, step }
  }

  /** A query has been answered, and not blocked. */
  answered({ step }: SequencePosition): void {
    this.#step = Math.max(this.#step, step + 1)
  }

  /** Wipes what the enclave keeps for it. @throws EnclaveError `ENCLAVE_SEQUENCE_UNKNOWN` */
  async close(options?: CallOptions): Promise<void> {
    await this.#close(this.#id, options)
  }
}
