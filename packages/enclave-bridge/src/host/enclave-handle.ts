// SPDX-License-Identifier: Apache-2.0
import { type EnclaveManifest, parseManifest } from '@mlcapsule/attestation'
import { assertTensor, type Evidence, type Tensor } from '@mlcapsule/contracts'
import { decodeCbor } from '@mlcapsule/crypto'
import { BridgeError } from '../errors.ts'
import type { Channel } from '../protocol/channel.ts'
import { bridgeLimits } from '../protocol/limits.ts'
import type { ActiveReport, ReplyBody, RequestBody, RequestOp, UsageReport } from '../protocol/requests.ts'
import { joinTensors, splitTensors } from '../protocol/tensors.ts'
import { bridgeVersions, type EventCode, type Verdict } from '../protocol/words.ts'
import { Connection, type Reply } from './connection.ts'
import { EnclaveSequence } from './enclave-sequence.ts'
import { type CallOptions, Lane } from './lane.ts'
import type { LaunchInfo } from './launch-info.ts'
import { type KeepLog, logEntries } from './receipt-log.ts'
import { serveCall } from './serve-call.ts'
import type { HostServices, SimulatedAnchor } from './services.ts'

export interface EnclaveHandleOptions {
  readonly info: LaunchInfo
  readonly services: HostServices
  /** Only for the simulated platform. */
  readonly anchor?: SimulatedAnchor
  /**
   * Keeps receipts and closings of blocks, in this order: all of them, or none and rejects. Awaited before the answer that
   * they belong to is given to the caller; called also when the caller has given up. What it rejects comes again, before
   * what comes next.
   */
  readonly onLog?: KeepLog
  readonly onEvent?: (code: EventCode, numbers: readonly number[]) => void
  /** Calls that may wait: 1 to 256, 64 by default. */
  readonly queueLimit?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What an enclave shows of itself for an activation; `createRequest` of `@mlcapsule/attestation` takes it as it is. */
export interface ActivationOffer {
  readonly releaseKey: Uint8Array
  readonly identityKey: Uint8Array
  readonly headerHash: Uint8Array
  readonly anchor: Uint8Array | null
  readonly manifest: EnclaveManifest
  readonly evidence: Evidence
}

export interface InferOptions extends CallOptions {
  /** 16 random bytes. The same query with the same id, within the same block, is answered again and not charged again. */
  readonly retryId?: Uint8Array
  /** Of `openSequence`: the query goes on from the one before it there. Without one it begins anew. */
  readonly sequence?: EnclaveSequence
  /** Lets the transport take the inputs' buffers away instead of copying them. Off by default. */
  readonly transfer?: boolean
}

export interface Inference {
  readonly verdict: Verdict
  /** Empty when a defense blocked the query. */
  readonly outputs: ReadonlyMap<string, Tensor>
  /** Units charged, and units left. */
  readonly units: number
  readonly unitsLeft: number
}

/** An enclave that answers queries. */
export interface ActiveEnclave extends Omit<ActiveReport, 'log'> {}

/** A launched enclave, as its host sees it. All methods may reject with `ENCLAVE_DIED`, `BRIDGE_*` and `CallOptions`' codes. */
export class EnclaveHandle {
  /** How it was started. */
  readonly info: LaunchInfo
  readonly #connection: Connection
  readonly #lane: Lane
  readonly #onLog: KeepLog
  /** What `onLog` could not keep: the enclave gives it out once, and without it the chain of receipts has a gap. */
  #unkept: Parameters<KeepLog>[0] = []
  /** Those of other enclaves have the same ids. */
  readonly #sequences: WeakSet<EnclaveSequence> = new WeakSet()
  readonly #closed: PromiseWithResolvers<BridgeError> = Promise.withResolvers()

  /** @throws BridgeError `BRIDGE_OPTION_INVALID` */
  constructor(channel: Channel, options: EnclaveHandleOptions) {
    this.info = options.info
    this.#lane = new Lane(options.queueLimit ?? 64)
    this.#onLog = options.onLog ?? (() => Promise.resolve())
    const { services, anchor } = options
    this.#connection = new Connection(channel, {
      onCall: (op, body, payloads) =>
        serveCall({ services, anchor, keepLog: (entries) => this.#keep(entries) }, op, body, payloads),
      onEvent: options.onEvent ?? (() => undefined),
      onClosed: (error) => {
        this.#lane.close(error)
        this.#closed.resolve(error)
      },
      now: options.now ?? Date.now,
    })
  }

  /** Resolves with the reason when the enclave is gone. */
  get closed(): Promise<BridgeError> {
    return this.#closed.promise
  }

  /** Gives the simulated platform what hardware would have. Done by the launcher, before all else. */
  async launch(body: RequestBody<'launch'>, options?: CallOptions): Promise<void> {
    await this.#call('launch', body, [], options)
  }

  /** Agrees on a version. @throws EnclaveError `BRIDGE_VERSION_UNSUPPORTED` */
  async hello(options?: CallOptions): Promise<ReplyBody<'hello'>> {
    const { body } = await this.#call('hello', { versions: [...bridgeVersions] }, [], options)
    if (!(bridgeVersions as readonly number[]).includes(body.version)) {
      throw new BridgeError('BRIDGE_VERSION_UNSUPPORTED', `the enclave chose version ${body.version}`)
    }
    return body
  }

  /** @param prefix the capsule's first bytes: magic, length, header, signature */
  async load(prefix: Uint8Array, options?: CallOptions): Promise<ReplyBody<'load'>> {
    return (await this.#call('load', {}, [prefix], options)).body
  }

  /**
   * Shows the enclave a challenge and gets evidence for it.
   * @param flow `file` keeps the one-use key in a sealed record, so that the response may come after a restart
   */
  async beginActivation(
    challenge: string,
    flow: 'online' | 'file' = 'online',
    options?: CallOptions,
  ): Promise<ActivationOffer> {
    const { body, payloads } = await this.#call('beginActivation', { challenge, flow }, [], options)
    const { platform, manifest, ...rest } = body
    const evidence = { platform, bytes: payloads[0] as Uint8Array }
    return { ...rest, manifest: this.#orLeave(() => readManifest(manifest)), evidence }
  }

  /** Hands over the provider's response. The enclave opens the model and is ready to answer. */
  async finishActivation(response: string, options?: CallOptions): Promise<ActiveEnclave> {
    const { log: _, ...report } = (await this.#call('finishActivation', { response }, [], options)).body
    return report
  }

  /** Starts from the sealed records of an earlier run. */
  async resume(options?: CallOptions): Promise<ActiveEnclave> {
    const { log: _, ...report } = (await this.#call('resume', {}, [], options)).body
    return report
  }

  /**
   * Opens a sequence of queries that go on from one another: what the model keeps for it stays in the enclave, and ends with
   * it.
   * @throws EnclaveError `ENCLAVE_SEQUENCE_UNSUPPORTED`, `ENCLAVE_SEQUENCE_LIMIT_EXCEEDED`
   */
  async openSequence(options?: CallOptions): Promise<EnclaveSequence> {
    let hasGivenUp = false
    const opening = this.#lane.run(async () => {
      const { id } = (await this.#exchange('openSequence', {}, [])).body
      // Nobody else knows the id: left open, it would take one of the few places for as long as the enclave lives.
      if (hasGivenUp) await this.#exchange('closeSequence', { id }, [])
      return id
    }, options)
    const id = await opening.catch((error: unknown) => {
      hasGivenUp = true
      throw error
    })
    const sequence = new EnclaveSequence(id, async (id, closing) => {
      await this.#call('closeSequence', { id }, [], closing)
    })
    this.#sequences.add(sequence)
    return sequence
  }

  /**
   * Asks the model. A query that a defense blocked resolves too: it is charged and has a receipt, but no outputs.
   * @throws BridgeError `ENCLAVE_SEQUENCE_UNKNOWN` for a sequence of another enclave; EnclaveError
   */
  async infer(inputs: ReadonlyMap<string, Tensor>, options: InferOptions = {}): Promise<Inference> {
    for (const [name, tensor] of inputs) assertTensor(tensor, `inputs.${name}`)
    const { descriptors, payloads } = splitTensors(inputs)
    const { retryId, sequence, transfer } = options
    if (sequence !== undefined && !this.#sequences.has(sequence)) {
      const detail = 'the sequence is of another enclave'
      throw new BridgeError('ENCLAVE_SEQUENCE_UNKNOWN', detail, { field: 'sequence' })
    }
    const { body, payloads: data } = await this.#lane.run(async () => {
      // Where the query stands is known when its turn comes: others of the sequence may wait before it.
      const position = sequence?.positionOf(retryId)
      const request = {
        inputs: [...descriptors],
        ...(retryId === undefined ? {} : { retryId }),
        ...(position === undefined ? {} : { sequence: position }),
      }
      const reply = await this.#exchange('infer', request, payloads, transfer)
      if (position !== undefined && reply.body.verdict !== 'block') sequence?.answered(position)
      return reply
    }, options)
    const { outputs, verdict, units, unitsLeft } = body
    return { verdict, units, unitsLeft, outputs: this.#orLeave(() => joinTensors('outputs', outputs, data)) }
  }

  async usage(options?: CallOptions): Promise<UsageReport> {
    return (await this.#call('usage', {}, [], options)).body
  }

  /**
   * The next signed statement of usage.
   * @returns compact JWS of type `mlc-statement+jwt`
   * @throws EnclaveError `LEDGER_STATEMENT_NOT_DUE`
   */
  async statement(options?: CallOptions): Promise<string> {
    return (await this.#call('statement', {}, [], options)).body.statement
  }

  /**
   * Ends the ledger cleanly and the enclave with it.
   * @returns the last statement of usage, or null where there was never anything to tell
   */
  async close(options?: CallOptions): Promise<string | null> {
    const end = async () => {
      try {
        return (await this.#exchange('close', {}, [])).body.statement
      } finally {
        // Whatever came of it, and whether or not the caller still waits: the enclave has stopped for good.
        this.#connection.close()
      }
    }
    return await this.#lane.run(end, options, true)
  }

  /** Ends the enclave at once, as a crash would. */
  disconnect(): void {
    this.#connection.close()
  }

  /** Reads what the schema cannot check. An enclave that does not keep to the protocol there is left as well. */
  #orLeave<Value>(read: () => Value): Value {
    try {
      return read()
    } catch (cause) {
      const detail = 'the enclave gave an answer whose parts do not fit each other'
      const violation =
        cause instanceof BridgeError ? cause : new BridgeError('BRIDGE_PROTOCOL_VIOLATION', detail, { cause })
      this.#connection.close(violation)
      throw violation
    }
  }

  #call<Op extends RequestOp>(
    op: Op,
    body: RequestBody<Op>,
    payloads: readonly Uint8Array[],
    options?: CallOptions,
    transfer?: boolean,
  ): Promise<Reply<Op>> {
    return this.#lane.run(() => this.#exchange(op, body, payloads, transfer), options)
  }

  async #exchange<Op extends RequestOp>(
    op: Op,
    body: RequestBody<Op>,
    payloads: readonly Uint8Array[],
    transfer: boolean = false,
  ): Promise<Reply<Op>> {
    const reply = await this.#connection.request(op, body, payloads, transfer)
    if ('log' in reply.body) await this.#keep(logEntries(reply.body.log))
    return reply
  }

  async #keep(entries: Parameters<KeepLog>[0]): Promise<void> {
    this.#unkept = [...this.#unkept, ...entries]
    if (this.#unkept.length === 0) return
    await this.#onLog(this.#unkept)
    this.#unkept = []
  }
}

function readManifest(bytes: Uint8Array): EnclaveManifest {
  return parseManifest(decodeCbor(bytes, { maxSizeBytes: bridgeLimits.manifestMaxSizeBytes }))
}
