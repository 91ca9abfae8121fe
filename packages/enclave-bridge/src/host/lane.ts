// SPDX-License-Identifier: Apache-2.0
import { BridgeError } from '../errors.ts'
import { bridgeLimits } from '../protocol/limits.ts'

/** The longest that timers know. */
const timeoutMaxMs = 2_147_483_647

function isIntegerUpTo(max: number, value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= max
}

export interface CallOptions {
  /** Gives up waiting. What has reached the enclave goes on there, and is charged. */
  readonly signal?: AbortSignal
  /** Gives up after this time, counted from the call, the wait in the queue included. 1 to 2,147,483,647. */
  readonly timeoutMs?: number
}

interface Waiting {
  readonly start: () => Promise<void>
  readonly reject: (error: unknown) => void
}

/**
 * One call at a time, the rest in a bounded queue. A caller may give up; a call that is under way keeps the lane until it
 * is done, since the enclave cannot be interrupted.
 */
export class Lane {
  readonly #queueLimit: number
  readonly #queue: Waiting[] = []
  #busy: boolean = false
  #closedBy: BridgeError | undefined

  /** @throws BridgeError `BRIDGE_OPTION_INVALID` */
  constructor(queueLimit: number) {
    const { queueMaxCount } = bridgeLimits
    if (!isIntegerUpTo(queueMaxCount, queueLimit)) {
      const detail = `queueLimit: expected an integer from 1 to ${queueMaxCount}, got ${queueLimit}`
      throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'queueLimit' })
    }
    this.#queueLimit = queueLimit
  }

  /**
   * @param isLast for the call that ends everything: it waits for all before it, however many they are
   * @throws BridgeError `BRIDGE_QUEUE_FULL`, `BRIDGE_ABORTED`, `BRIDGE_TIMEOUT`, `BRIDGE_OPTION_INVALID`, or what the lane
   * was closed with
   */
  run<Result>(
    call: () => Promise<Result>,
    { signal, timeoutMs }: CallOptions = {},
    isLast: boolean = false,
  ): Promise<Result> {
    if (this.#closedBy !== undefined) return Promise.reject(this.#closedBy)
    if (signal?.aborted === true) return Promise.reject(aborted(signal))
    // Timers take a longer time, or none, for no time at all.
    if (timeoutMs !== undefined && !isIntegerUpTo(timeoutMaxMs, timeoutMs)) {
      const detail = `timeoutMs: expected an integer from 1 to ${timeoutMaxMs}, got ${timeoutMs}`
      return Promise.reject(new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'timeoutMs' }))
    }
    if (!isLast && this.#queue.length >= this.#queueLimit) {
      return Promise.reject(new BridgeError('BRIDGE_QUEUE_FULL', `${this.#queueLimit} calls are waiting`))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const waiting: Waiting = { start: () => call().then(resolve, reject), reject }
    const giveUp = (error: BridgeError) => {
      const at = this.#queue.indexOf(waiting)
      if (at >= 0) this.#queue.splice(at, 1)
      reject(error)
    }
    const onAbort = () => giveUp(aborted(signal as AbortSignal))
    signal?.addEventListener('abort', onAbort, { once: true })
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => giveUp(new BridgeError('BRIDGE_TIMEOUT', `no answer within ${timeoutMs} ms`)),
            timeoutMs,
          )
    this.#queue.push(waiting)
    this.#next()
    return promise.finally(() => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    })
  }

  /** Refuses all that wait and all that come. */
  close(error: BridgeError): void {
    this.#closedBy = error
    for (const { reject } of this.#queue.splice(0)) reject(error)
  }

  #next(): void {
    if (this.#busy) return
    const waiting = this.#queue.shift()
    if (waiting === undefined) return
    this.#busy = true
    void waiting.start().finally(() => {
      this.#busy = false
      this.#next()
    })
  }
}

function aborted(signal: AbortSignal): BridgeError {
  return new BridgeError('BRIDGE_ABORTED', 'the caller gave up', { cause: signal.reason })
}
