// SPDX-License-Identifier: Apache-2.0
import {
  AttestationError,
  activationReportData,
  authorityKeys,
  type EnclaveManifest,
  readChallenge,
} from '@mlcapsule/attestation'
import { simulatedAttester } from '@mlcapsule/attestation/simulated'
import type { Capsule } from '@mlcapsule/capsule-format'
import type { Tensor } from '@mlcapsule/contracts'
import {
  equalBytes,
  generateReleaseKeyPair,
  generateSigningKeyPair,
  randomBytes,
  type SigningKeyPair,
} from '@mlcapsule/crypto'
import {
  type ActivationOffer,
  type ActiveEnclave,
  BridgeError,
  type Inference,
  type LaunchInfo,
  type UsageReport,
} from '@mlcapsule/enclave-bridge'
import {
  deriveLedgerKey,
  Ledger,
  type LedgerDeps,
  type License,
  ledgerIdOf,
  memoryRecordStore,
  type ReceiptLogEntry,
  type Verdict,
  verifyLicense,
  volatileAnchor,
} from '@mlcapsule/metering'
import type { EnclavePort } from '../src/sdk/ml-capsule.ts'
import { unverifiedPayload } from '../src/sdk/token-payload.ts'

export const manifest: EnclaveManifest = {
  version: 1,
  entry: 'worker',
  components: [{ name: 'enclave-core.mjs', sha384: '11'.repeat(48) }],
  plugins: [],
}

/** What an enclave needs to open the response that it waits for. */
interface Pending {
  readonly identity: SigningKeyPair
  readonly challengeId: string
  readonly anchorValue: Uint8Array
}

/** What outlives an enclave. */
export interface Machine {
  readonly customerSeed: Uint8Array
  readonly root: SigningKeyPair
  readonly anchor: ReturnType<typeof volatileAnchor>
  readonly store: ReturnType<typeof memoryRecordStore>
  pending: Pending | undefined
  identity: SigningKeyPair | undefined
  license: string | undefined
}

export function createMachine(): Machine {
  return {
    customerSeed: randomBytes(32),
    root: generateSigningKeyPair(),
    anchor: volatileAnchor(),
    store: memoryRecordStore(),
    pending: undefined,
    identity: undefined,
    license: undefined,
  }
}

/**
 * Stands in for an enclave: real ledger, evidence and tokens in this process, and a model that tells dark from bright.
 * The real one is tested with the real provider in the repository's end-to-end tests.
 */
export class ModelEnclave implements EnclavePort {
  readonly info: LaunchInfo = {
    entry: 'worker',
    manifest,
    manifestSha384: '00'.repeat(48),
    kernels: 'wasm',
    transport: 'message-port',
  }
  /** What the next queries get. */
  verdict: Verdict = 'pass'
  readonly #machine: Machine
  readonly #capsule: Capsule
  readonly #onLog: (entries: readonly ReceiptLogEntry[]) => Promise<void>
  #pending: Pending | undefined
  #ledger: Ledger | undefined
  #license: License | undefined
  readonly #closed: PromiseWithResolvers<BridgeError> = Promise.withResolvers()

  constructor(
    machine: Machine,
    capsule: Capsule,
    onLog: (entries: readonly ReceiptLogEntry[]) => Promise<void>,
  ) {
    this.#machine = machine
    this.#capsule = capsule
    this.#onLog = onLog
  }

  get closed(): Promise<BridgeError> {
    return this.#closed.promise
  }

  async beginActivation(token: string, flow: 'online' | 'file' = 'online'): Promise<ActivationOffer> {
    const { anchor, root } = this.#machine
    const challenge = await readChallenge(token, this.#capsule.header.authority)
    const identity = generateSigningKeyPair()
    this.#pending = { identity, challengeId: challenge.claims.jti, anchorValue: await anchor.read() }
    if (flow === 'file') this.#machine.pending = this.#pending
    const statement = {
      releaseKey: (await generateReleaseKeyPair()).publicKey,
      identityKey: identity.publicKey,
      headerHash: this.#capsule.headerHash,
      anchor: anchor.descriptor,
      manifest,
    }
    const attester = simulatedAttester({ root, manifest })
    return { ...statement, evidence: await attester.produce(activationReportData(challenge, statement)) }
  }

  async finishActivation(response: string): Promise<ActiveEnclave> {
    const pending = this.#pending ?? (await this.#loadPending())
    const { jti, license } = unverifiedPayload(response)
    if (jti !== pending.challengeId) {
      throw new AttestationError('ACTIVATION_BINDING_MISMATCH', 'the response is for another challenge')
    }
    this.#machine.identity = pending.identity
    this.#machine.license = String(license)
    this.#ledger = await Ledger.create(await this.#deps(), pending.anchorValue)
    this.#machine.pending = undefined
    return this.#active()
  }

  async resume(): Promise<ActiveEnclave> {
    if (this.#machine.license === undefined) {
      throw new BridgeError('ENCLAVE_RECORD_INVALID', 'there is no license', { field: 'license' })
    }
    this.#ledger = await Ledger.open(await this.#deps())
    await this.#log()
    return this.#active()
  }

  async infer(inputs: ReadonlyMap<string, Tensor>): Promise<Inference> {
    const ledger = this.#running()
    if (ledger.needsAdvance(1)) await ledger.advance(1)
    await this.#log()
    const reservation = ledger.reserve(1)
    const { receiptBytes, mustCommit } = ledger.settle(reservation, { verdict: this.verdict })
    await this.#onLog([{ receipt: receiptBytes }])
    if (mustCommit) await ledger.commit()
    await this.#log()
    const values = inputs.get('image')?.data as Float32Array
    const bright = values.reduce((sum, it) => sum + it, 0) / values.length
    const scores = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1 - bright, bright) } as const
    const outputs = new Map<string, Tensor>(this.verdict === 'block' ? [] : [['scores', scores]])
    return { verdict: this.verdict, outputs, units: reservation.units, unitsLeft: ledger.usage.unitsLeft }
  }

  async openSequence(): Promise<never> {
    throw new BridgeError('ENCLAVE_SEQUENCE_UNSUPPORTED', 'the model keeps nothing')
  }

  async usage(): Promise<UsageReport> {
    return this.#report()
  }

  async statement(): Promise<string> {
    const token = await this.#running().statement()
    await this.#log()
    return token
  }

  async close(): Promise<string | null> {
    const ledger = this.#running()
    await ledger.close()
    await this.#log()
    this.disconnect()
    return await ledger.lastStatement()
  }

  disconnect(): void {
    this.#closed.resolve(new BridgeError('ENCLAVE_DIED', 'it was ended'))
  }

  async #loadPending(): Promise<Pending> {
    const { pending, anchor } = this.#machine
    if (pending === undefined) throw new BridgeError('ENCLAVE_STATE_INVALID', 'no activation waits')
    if (equalBytes(await anchor.read(), pending.anchorValue)) return pending
    throw new BridgeError('ENCLAVE_RECORD_INVALID', 'the response was opened before')
  }

  #running(): Ledger {
    if (this.#ledger !== undefined) return this.#ledger
    throw new BridgeError('ENCLAVE_STATE_INVALID', 'the enclave is not active')
  }

  async #deps(): Promise<LedgerDeps> {
    const { identity, license, anchor, store } = this.#machine
    if (identity === undefined || license === undefined) throw new TypeError('not activated')
    this.#license = await verifyLicense(license, authorityKeys(license, this.#capsule.header.authority))
    const key = deriveLedgerKey({
      ledgerId: ledgerIdOf(identity.publicKey),
      platformKey: null,
      stateKey: null,
    })
    return { license: this.#license, identity, key, anchor, store }
  }

  async #log(): Promise<void> {
    const closings = (await this.#running().takeClosings()).map((closing) => ({ closing }))
    if (closings.length > 0) await this.#onLog(closings)
  }

  #active(): ActiveEnclave {
    const license = this.#machine.license as string
    return { license, usage: this.#report(), memorySizeBytes: 1_048_576, isa: 'scalar' }
  }

  #report(): UsageReport {
    const license = this.#license as License
    return {
      ledgerId: ledgerIdOf(license.identityKey),
      licenseHash: license.hash,
      grantUnits: license.claims.grant.units,
      ...this.#running().usage,
    }
  }
}
