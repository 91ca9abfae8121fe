// SPDX-License-Identifier: Apache-2.0
import {
  encodeCbor,
  equalBytes,
  labeledHash,
  type Secret,
  type SigningKeyPair,
  stockedRandomBytes,
  wipe,
} from '@mlcapsule/crypto'
import type { Answer } from '@mlcapsule/enclave-bridge/enclave'
import {
  type ActiveReport,
  BridgeError,
  bridgeLimits,
  joinTensors,
  type RequestBody,
  splitTensors,
  type UsageReport,
} from '@mlcapsule/enclave-bridge/protocol'
import {
  assertLicenseTime,
  deriveLedgerKey,
  Ledger,
  type LedgerDeps,
  type License,
  ledgerIdOf,
  type Settlement,
} from '@mlcapsule/metering'
import { type Host, ledgerStore } from './host.ts'
import { type CheckedInputs, checkInputs } from './inputs.ts'
import type { Model } from './model.ts'
import type { Platform } from './platform.ts'
import type { LicenseState } from './sealed-records.ts'
import { Sequences } from './sequences.ts'

export interface ServiceParts {
  readonly platform: Platform
  readonly host: Host
  readonly license: License
  readonly identity: SigningKeyPair
  readonly model: Model
  readonly inputs: Parameters<typeof checkInputs>[1]
}

interface Answered {
  readonly retryId: Uint8Array
  readonly queryHash: Uint8Array
  readonly block: number
  readonly answer: Answer<'infer'>
}

/** An activated enclave: license, ledger and model, and the one way through them. */
export class Service {
  readonly #parts: ServiceParts
  readonly #ledger: Ledger
  readonly #ledgerKey: Secret<'prk'>
  readonly #sequences: Sequences
  #answered: Answered | undefined
  #broken: boolean = false

  private constructor(parts: ServiceParts, ledger: Ledger, ledgerKey: Secret<'prk'>) {
    this.#parts = parts
    this.#ledger = ledger
    this.#ledgerKey = ledgerKey
    this.#sequences = new Sequences(parts.model)
  }

  /**
   * Starts the ledger: a new one as long as the anchor stands where it stood before there was one, else the one that the
   * host keeps.
   * @throws MeteringError `LEDGER_*`, `LICENSE_BINDING_MISMATCH`
   */
  static async start(
    parts: ServiceParts,
    { stateKey, anchorValue }: Pick<LicenseState, 'stateKey' | 'anchorValue'>,
  ): Promise<Service> {
    const { platform, host, license, identity } = parts
    const platformKey = await platform.sealKey()
    const key = deriveLedgerKey({ ledgerId: ledgerIdOf(identity.publicKey), platformKey, stateKey })
    wipe(platformKey)
    const deps: LedgerDeps = {
      license,
      identity,
      key,
      anchor: platform.anchor,
      store: ledgerStore(host),
      // Salts and the blinds of receipts, one for each query. Keys do not come from here.
      random: stockedRandomBytes(platform.random),
      ...(platform.aead === undefined ? {} : { aead: platform.aead }),
    }
    try {
      const isNew = equalBytes(await platform.anchor.read(), anchorValue)
      return new Service(parts, await (isNew ? Ledger.create(deps, anchorValue) : Ledger.open(deps)), key)
    } catch (error) {
      wipe(key)
      throw error
    }
  }

  /** Whether a query is settled whose record could not be committed: only a restart goes on from there. */
  get broken(): boolean {
    return this.#broken
  }

  usage(): UsageReport {
    const { license } = this.#parts
    const { unitsSpent, unitsLeft, queryCount, uncleanCount, block, strictUnits, head } = this.#ledger.usage
    return {
      ledgerId: ledgerIdOf(license.identityKey),
      licenseHash: license.hash,
      grantUnits: license.claims.grant.units,
      unitsSpent,
      unitsLeft,
      queryCount,
      uncleanCount,
      block,
      strictUnits,
      head,
    }
  }

  async report(): Promise<ActiveReport> {
    const { license, model } = this.#parts
    const log = await this.#ledger.takeClosings()
    return {
      license: license.token,
      usage: this.usage(),
      memorySizeBytes: model.memorySizeBytes,
      isa: model.isa,
      log,
    }
  }

  /**
   * One query as one transaction: check → reserve → onQuery → compute → onAnswer → settle → answer. What is refused
   * before the reservation costs nothing; once it is settled, the answer leaves with its receipt, and the sequence that the
   * query belongs to has advanced. Whatever else becomes of it leaves the sequence as it was.
   */
  async infer(
    request: RequestBody<'infer'>,
    payloads: readonly Uint8Array[],
    nowMs: number,
  ): Promise<Answer<'infer'>> {
    const { model, license } = this.#parts
    const inputs = checkInputs(joinTensors('inputs', request.inputs, payloads), this.#parts.inputs)
    const { retryId, sequence } = request
    if (sequence !== undefined) this.#sequences.find(sequence.id)
    const queryHash = retryId === undefined ? undefined : hashQuery(request, payloads)
    const again = this.#answeredBefore(retryId, queryHash)
    if (again !== undefined) return again
    if (sequence !== undefined) this.#sequences.assertNext(sequence)
    assertLicenseTime(license.claims, { nowMs })
    assertAnswerFits(model.answerSizeBytes(inputs))
    await this.#makeRoom(inputs.itemCount)
    const { answer, settlement } = await this.#transact(inputs, sequence?.id)
    // Blocks that were closed before come first; the receipt belongs to the one that is open.
    const log = [...(await this.#ledger.takeClosings()), settlement.receiptBytes]
    const body = { ...answer.body, log: settlement.mustCommit ? await this.#commit(log) : log }
    body.unitsLeft = this.#ledger.usage.unitsLeft
    const reply = { ...answer, body }
    if (retryId !== undefined && queryHash !== undefined) {
      const { block } = this.#ledger.usage
      const kept = { ...answer, body: { ...reply.body, log: [] } }
      this.#answered = { retryId: retryId.slice(), queryHash, block, answer: kept }
    }
    return reply
  }

  /** @throws BridgeError `ENCLAVE_SEQUENCE_UNSUPPORTED`, `ENCLAVE_SEQUENCE_LIMIT_EXCEEDED` */
  openSequence(): Answer<'openSequence'> {
    return { body: { id: this.#sequences.open() } }
  }

  /** @throws BridgeError `ENCLAVE_SEQUENCE_UNKNOWN` */
  closeSequence({ id }: RequestBody<'closeSequence'>): Answer<'closeSequence'> {
    this.#sequences.close(id)
    return { body: {} }
  }

  /**
   * Strict mode: the client has the receipt, then the record that remembers the query is committed, then the answer may
   * leave.
   * @returns what goes with the answer
   */
  async #commit(log: readonly (Uint8Array | string)[]): Promise<(Uint8Array | string)[]> {
    try {
      await this.#parts.host.keepLog(log)
      await this.#ledger.commit()
    } catch (error) {
      this.#broken = true
      throw error
    }
    return await this.#ledger.takeClosings()
  }

  async statement(): Promise<Answer<'statement'>> {
    const statement = await this.#ledger.statement()
    return { body: { statement, log: await this.#ledger.takeClosings() } }
  }

  async close(): Promise<Answer<'close'>> {
    await this.#ledger.close()
    const log = await this.#ledger.takeClosings()
    return { body: { statement: await this.#ledger.lastStatement(), log } }
  }

  wipe(): void {
    for (const payload of this.#answered?.answer.payloads ?? []) wipe(payload)
    this.#answered = undefined
    this.#sequences.wipe()
    wipe(this.#ledgerKey)
    wipe(this.#parts.identity.privateKey)
    this.#parts.model.wipe()
  }

  /** Opens a block if the query needs one. */
  async #makeRoom(itemCount: number): Promise<void> {
    if (this.#ledger.needsAdvance(itemCount)) {
      await this.#ledger.advance(itemCount)
      this.#parts.host.emit('block-opened', [this.#ledger.usage.block])
    }
  }

  async #transact(
    inputs: CheckedInputs,
    sequenceId: number | undefined,
  ): Promise<{ readonly answer: Answer<'infer'>; readonly settlement: Settlement }> {
    const { model } = this.#parts
    const { tensors, itemCount } = inputs
    const reservation = this.#ledger.reserve(itemCount)
    const state = sequenceId === undefined ? undefined : this.#sequences.find(sequenceId).state
    try {
      const compute = () => model.run(inputs, state)
      const { outputs, outcome } = await model.chain.run({
        inputs: tensors,
        itemCount,
        compute,
        ledger: this.#ledger,
      })
      const named = new Map(outputs.map((tensor, index) => [model.outputNames[index] as string, tensor]))
      const { descriptors, payloads } = splitTensors(named)
      // Where a size depends on data, it is known only now.
      assertAnswerFits(payloads.reduce((sum, { length }) => sum + length, 0))
      const advances = sequenceId !== undefined && outcome.verdict !== 'block'
      if (advances) this.#sequences.assertRoom(sequenceId)
      const settlement = this.#ledger.settle(reservation, outcome)
      if (advances) this.#sequences.advance(sequenceId)
      else state?.discard()
      const { units } = settlement.receipt
      const body = { verdict: outcome.verdict, outputs: [...descriptors], units, unitsLeft: 0, log: [] }
      return { answer: { body, payloads }, settlement }
    } catch (error) {
      // Ours to bear: nothing is charged, and nothing of the answer leaves.
      this.#ledger.cancel(reservation)
      state?.discard()
      throw error
    }
  }

  #answeredBefore(
    retryId: Uint8Array | undefined,
    queryHash: Uint8Array | undefined,
  ): Answer<'infer'> | undefined {
    const last = this.#answered
    if (retryId === undefined || queryHash === undefined || last === undefined) return undefined
    if (!equalBytes(last.retryId, retryId) || last.block !== this.#ledger.usage.block) return undefined
    if (equalBytes(last.queryHash, queryHash)) return last.answer
    throw new BridgeError('ENCLAVE_RETRY_MISMATCH', 'the retry id came with other inputs', {
      field: 'retryId',
    })
  }
}

/** An answer that cannot cross the door must not be charged. @throws BridgeError `BRIDGE_LIMIT_EXCEEDED` */
function assertAnswerFits(sizeBytes: number): void {
  const { payloadsMaxSizeBytes } = bridgeLimits
  if (sizeBytes <= payloadsMaxSizeBytes) return
  const detail = `the outputs would have ${sizeBytes} bytes, at most ${payloadsMaxSizeBytes} cross: ask with fewer items`
  throw new BridgeError('BRIDGE_LIMIT_EXCEEDED', detail, {
    field: 'outputs',
    numbers: [payloadsMaxSizeBytes, sizeBytes],
  })
}

/** What a retry id is bound to. */
function hashQuery({ inputs, sequence }: RequestBody<'infer'>, payloads: readonly Uint8Array[]): Uint8Array {
  return labeledHash('query', encodeCbor({ inputs, sequence: sequence ?? null }), ...payloads)
}
