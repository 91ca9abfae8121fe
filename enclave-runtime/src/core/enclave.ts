// SPDX-License-Identifier: Apache-2.0
import { manifestDigest } from '@mlcapsule/attestation'
import { type ParsedHeader, parseHeader } from '@mlcapsule/capsule-format'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import { cryptoReady, encodeCbor, signingKeyPairFrom, wipe } from '@mlcapsule/crypto'
import type { Answer, EnclaveHandlers, RequestContext } from '@mlcapsule/enclave-bridge/enclave'
import {
  BridgeError,
  bridgeVersions,
  type EnclaveState,
  type RequestBody,
} from '@mlcapsule/enclave-bridge/protocol'
import type { License } from '@mlcapsule/metering'
import { defenses, plugins } from '../compose.ts'
import {
  type ActivationContext,
  acceptLicense,
  acceptResponse,
  beginActivation,
  loadPending,
  type PendingActivation,
  wipeLicenseState,
  wipePending,
} from './activation.ts'
import type { Host } from './host.ts'
import { Model } from './model.ts'
import type { Platform } from './platform.ts'
import { type LicenseState, openLicense, sealLicense } from './sealed-records.ts'
import { Service } from './service.ts'

/** Handlers of all requests but `launch`, which belongs to the way in which the enclave was started. */
export type Enclave = Omit<EnclaveHandlers, 'launch'>

/** What ends an enclave: its ledger cannot be relied on any more. */
const fatalCodes: ReadonlySet<string> = new Set(['LEDGER_FORKED', 'LEDGER_STOPPED', 'LEDGER_ROLLED_BACK'])

/** What ends it too: a page that a query needed was not the authentic one. The ledger is sound then. */
const pageCodes: ReadonlySet<string> = new Set(['KERNEL_PAGE_INVALID', 'SEAL_OPEN_FAILED'])

class EnclaveCore implements Enclave {
  readonly #platform: Platform
  readonly #host: Host
  #state: EnclaveState = 'empty'
  #capsule: ParsedHeader | undefined
  #pending: PendingActivation | undefined
  #service: Service | undefined

  constructor(platform: Platform, host: Host) {
    this.#platform = platform
    this.#host = host
  }

  hello = async ({ versions }: RequestBody<'hello'>): Promise<Answer<'hello'>> => {
    if (this.#state === 'stopped') throw stopped()
    const version = bridgeVersions.find((it) => versions.includes(it))
    if (version === undefined) {
      throw new BridgeError('BRIDGE_VERSION_UNSUPPORTED', 'no version in common', {
        field: 'versions',
        numbers: bridgeVersions,
      })
    }
    const { entry, manifest } = this.#platform
    const manifestSha384 = manifestDigest(manifest)
    return { body: { version, entry, state: this.#state, manifestSha384, plugins: [...plugins] } }
  }

  load = async (_: RequestBody<'load'>, payloads: readonly Uint8Array[]): Promise<Answer<'load'>> => {
    await cryptoReady()
    this.#assertState('empty')
    // The header names its own publisher: whom to trust is for the client, who pins keys. The enclave trusts the keys that
    // this signed header calls its authority, and no others.
    const capsule = parseHeader(payloads[0] as Uint8Array, { publishers: 'any-unverified-publisher' })
    this.#capsule = capsule
    this.#state = 'loaded'
    this.#host.emit('capsule-loaded')
    return { body: { capsuleId: capsule.header.capsuleId, headerHash: capsule.headerHash } }
  }

  beginActivation = async (
    { challenge, flow }: RequestBody<'beginActivation'>,
    _: readonly Uint8Array[],
    { clockHintMs }: RequestContext,
  ): Promise<Answer<'beginActivation'>> => {
    this.#assertState('loaded', 'activating')
    const context = this.#context()
    const { pending, evidence } = await beginActivation(context, challenge, flow, clockHintMs)
    this.#awaitResponse(pending)
    const body = {
      releaseKey: pending.releaseKey.publicKey,
      identityKey: pending.identity.publicKey,
      headerHash: context.capsule.headerHash,
      anchor: this.#platform.anchor.descriptor,
      manifest: encodeCbor(this.#platform.manifest),
      platform: evidence.platform,
    }
    return { body, payloads: [evidence.bytes] }
  }

  finishActivation = async (
    { response }: RequestBody<'finishActivation'>,
    _: readonly Uint8Array[],
    { clockHintMs }: RequestContext,
  ): Promise<Answer<'finishActivation'>> => {
    this.#assertState('loaded', 'activating')
    const context = this.#context()
    const pending = this.#pending ?? (await loadPending(context))
    this.#awaitResponse(pending)
    const { license, state } = await acceptResponse(context, pending, response, clockHintMs)
    try {
      await this.#withModel(license, state, async (model) => {
        // All that may fail by the host's fault comes first: up to here, the same response may be tried again.
        await this.#host.writeRecord('license', await sealLicense(this.#sealContext(), state))
        await this.#start(model, license, state)
      })
    } finally {
      wipeLicenseState(state)
    }
    wipe(pending.releaseKey.privateKey)
    this.#pending = undefined
    // A record that stays behind is dead: the anchor has moved on.
    await this.#host.writeRecord('pending', null).catch(() => undefined)
    this.#host.emit('activated')
    return { body: await this.#live().report() }
  }

  resume = async (
    _: RequestBody<'resume'>,
    __: readonly Uint8Array[],
    { clockHintMs }: RequestContext,
  ): Promise<Answer<'resume'>> => {
    this.#assertState('loaded', 'activating')
    const record = await this.#host.readRecord('license')
    if (record === null) {
      throw new BridgeError('ENCLAVE_RECORD_INVALID', 'there is no sealed license', { field: 'license' })
    }
    const state = await openLicense(this.#sealContext(), record)
    try {
      const { publicKey } = signingKeyPairFrom(state.identity)
      const license = await acceptLicense(this.#context(), state.license, publicKey, clockHintMs)
      await this.#withModel(license, state, (model) => this.#start(model, license, state))
    } catch (error) {
      wipe(state.identity)
      throw error
    } finally {
      wipeLicenseState(state)
    }
    if (this.#pending !== undefined) wipePending(this.#pending)
    this.#pending = undefined
    this.#host.emit('resumed')
    return { body: await this.#live().report() }
  }

  infer = async (
    body: RequestBody<'infer'>,
    payloads: readonly Uint8Array[],
    { clockHintMs }: RequestContext,
  ): Promise<Answer<'infer'>> => {
    try {
      return await this.#untilFatal((service) => service.infer(body, payloads, clockHintMs))
    } finally {
      for (const payload of payloads) payload.fill(0)
    }
  }

  openSequence = async (): Promise<Answer<'openSequence'>> => this.#live().openSequence()

  closeSequence = async (body: RequestBody<'closeSequence'>): Promise<Answer<'closeSequence'>> =>
    this.#live().closeSequence(body)

  usage = async (): Promise<Answer<'usage'>> => ({ body: this.#live().usage() })

  statement = (): Promise<Answer<'statement'>> => this.#untilFatal((service) => service.statement())

  close = async (): Promise<Answer<'close'>> => {
    if (this.#state === 'stopped') throw stopped()
    try {
      if (this.#service === undefined) return { body: { statement: null, log: [] } }
      return await this.#service.close()
    } finally {
      this.stop()
      this.#host.emit('closed')
    }
  }

  stop = (): void => {
    this.#state = 'stopped'
    this.#service?.wipe()
    this.#service = undefined
    if (this.#pending !== undefined) wipePending(this.#pending)
    this.#pending = undefined
    this.#capsule = undefined
  }

  #context(): ActivationContext {
    if (this.#capsule === undefined) throw stopped()
    return { platform: this.#platform, host: this.#host, capsule: this.#capsule }
  }

  #sealContext() {
    return { platform: this.#platform, headerHash: this.#context().capsule.headerHash }
  }

  #live(): Service {
    this.#assertState('active')
    if (this.#service === undefined) throw stopped()
    return this.#service
  }

  #assertState(...allowed: readonly EnclaveState[]): void {
    if (allowed.includes(this.#state)) return
    if (this.#state === 'stopped') throw stopped()
    throw new BridgeError(
      'ENCLAVE_STATE_INVALID',
      `the enclave is ${this.#state}, not ${allowed.join(' or ')}`,
    )
  }

  /** The door may have closed while the keys were made: then nothing may keep them. */
  #awaitResponse(pending: PendingActivation): void {
    if (this.#state === 'stopped') {
      wipePending(pending)
      throw stopped()
    }
    if (this.#pending !== undefined && this.#pending !== pending) wipePending(this.#pending)
    this.#pending = pending
    this.#state = 'activating'
  }

  /** Opens the model for `use`. If anything fails, it is wiped. */
  async #withModel(
    license: License,
    { contentKey }: LicenseState,
    use: (model: Model) => Promise<void>,
  ): Promise<void> {
    const { header, prefixSizeBytes } = this.#context().capsule
    const model = await Model.open({
      header,
      prefixSizeBytes,
      contentKey,
      platform: this.#platform,
      host: this.#host,
      defenses,
    })
    try {
      model.assertLicensed(license.claims)
      await use(model)
    } catch (error) {
      model.wipe()
      throw error
    }
  }

  /** From here on the ledger may have moved: what fails now ends this process, and the next one resumes. */
  async #start(model: Model, license: License, state: LicenseState): Promise<void> {
    const parts = {
      platform: this.#platform,
      host: this.#host,
      license,
      identity: signingKeyPairFrom(state.identity),
      model,
      inputs: this.#context().capsule.header.inputs,
    }
    try {
      const service = await Service.start(parts, state)
      // The door may have closed in the meantime.
      if (this.#state === 'stopped') {
        service.wipe()
        throw stopped()
      }
      this.#service = service
      this.#state = 'active'
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** Closes the ledger, so that the client does not lose what its open block has left, and stops. */
  async #endLedger(): Promise<void> {
    try {
      const { body } = await this.#live().close()
      await this.#host.keepLog(body.log)
    } catch {
      // A host that does not let it close loses the block: what ended the enclave is what the client should see.
    } finally {
      this.stop()
    }
  }

  async #untilFatal<Result>(act: (service: Service) => Promise<Result>): Promise<Result> {
    try {
      return await act(this.#live())
    } catch (error) {
      const code = isMlCapsuleError(error) ? error.code : ''
      const isFatal = fatalCodes.has(code)
      if (pageCodes.has(code)) await this.#endLedger()
      if (isFatal || this.#service?.broken === true) this.stop()
      throw error
    }
  }
}

function stopped(): BridgeError {
  return new BridgeError('ENCLAVE_STOPPED', 'the enclave has stopped')
}

/** The enclave's program, between what it trusts and what it does not. It serves whoever calls its handlers in turn. */
export function createEnclave(platform: Platform, host: Host): Enclave {
  return new EnclaveCore(platform, host)
}
