// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { createRequest } from '@mlcapsule/attestation'
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { openMlCapsule, readPublicKey, serviceClient } from '@mlcapsule/client-runtime'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  toBase64Url,
} from '@mlcapsule/crypto'
import type { ActiveEnclave, EnclaveHandle } from '@mlcapsule/enclave-bridge'
import { launchEnclave } from '@mlcapsule/enclave-bridge/node'
import { maxBlockUnits } from '@mlcapsule/metering'
import { withProvider } from '@mlcapsule/provider-console'
import type { PackedBy } from './provider.ts'

/** The built enclave: `npm run bench:guard` builds it before. */
export const enclaveDir = join(import.meta.dirname, '..', '..', '..', 'enclave-runtime', 'dist')

export type Entry = 'worker' | 'process'

/** A model behind the door of an activated enclave. */
export interface GuardedModel {
  /** One query: from the caller's array to an array of its own. */
  ask(input: Float32Array): Promise<Float32Array>
  /** Receipts that came with the answers. */
  readonly receiptCount: number
  /** What the enclave says of its memory, in whole MiB. */
  readonly memorySizeBytes: number
  /** Milliseconds that the start took, part by part. */
  readonly startMs: { readonly launch: number; readonly activate: number }
  close(): Promise<void>
}

export interface GuardedOptions {
  readonly network: string
  readonly dims: readonly number[]
  readonly entry: Entry
  readonly stateDir: string
  readonly threadCount?: number
  readonly queueLimit?: number
  readonly memoryBudgetSizeBytes?: number
}

const units = 10_000_000

const policy = {
  version: 1,
  name: 'bench',
  minimumTier: 'none',
  allowUnattested: ['worker', 'process'],
  manifests: 'any',
  maxEvidenceAgeSeconds: 'any',
  simulatedRoots: 'any',
  referenceSigners: [],
  platforms: {},
  tcbStatuses: 'any',
  advisories: 'any',
  debug: false,
}

/** @param itemCount of one query: a block holds a hundred of them, or as many as a block can */
async function order(
  storeDir: string,
  capsuleId: string,
  customerKey: Uint8Array,
  itemCount: number,
): Promise<void> {
  const blockMax = Math.min(100 * itemCount, maxBlockUnits)
  const wanted = { capsuleId, customerKey: toBase64Url(customerKey), units, terms: { blockMax }, policy }
  await withProvider({ storeDir }, (provider) => provider.createOrder(wanted))
}

function tensorOf({ dims }: GuardedOptions, data: Float32Array) {
  return new Map([['input', { dtype: 'float32' as const, shape: dims, data }]])
}

function onlyOutput(outputs: ReadonlyMap<string, { readonly data: unknown }>): Float32Array {
  const [output] = outputs.values()
  if (!(output?.data instanceof Float32Array)) throw new Error('the enclave gave no answer')
  return output.data
}

async function activate(
  handle: EnclaveHandle,
  capsuleId: string,
  customer: SigningKeyPair,
  url: string,
): Promise<ActiveEnclave> {
  const service = serviceClient(url)
  const challenge = await service.requestChallenge({ capsuleId, customer: keyThumbprint(customer.publicKey) })
  const offer = await handle.beginActivation(challenge)
  const request = await createRequest({ customer, challenge, ...offer })
  return await handle.finishActivation(await service.activate(request))
}

/**
 * Launches and activates an enclave: license, ledger, receipts and one defense, as a client has them, but for the receipts'
 * way to the disk, which is the client's own.
 */
export async function openGuarded(provider: PackedBy, options: GuardedOptions): Promise<GuardedModel> {
  await cryptoReady()
  const { network, entry, stateDir, threadCount = 1, queueLimit = 64, memoryBudgetSizeBytes } = options
  const customer = generateSigningKeyPair()
  const publishers = [await readPublicKey(provider.publisherKeyFile)]
  const capsule = await openCapsule(await fileSource(provider.capsules[network] as string), { publishers })
  const capsuleId = toBase64Url(capsule.header.capsuleId)
  await order(provider.storeDir, capsuleId, customer.publicKey, options.dims[0] ?? 1)
  let receiptCount = 0
  const startedAtMs = performance.now()
  const handle = await launchEnclave({
    entry,
    bundleDir: enclaveDir,
    stateDir,
    capsule,
    threadCount,
    queueLimit,
    ...(memoryBudgetSizeBytes === undefined ? {} : { memoryBudgetSizeBytes }),
    onLog: async (entries) => {
      for (const it of entries) if ('receipt' in it) receiptCount++
    },
  })
  const launchedAtMs = performance.now()
  const { memorySizeBytes } = await activate(handle, capsuleId, customer, provider.url)
  const activatedAtMs = performance.now()
  return {
    ask: async (input) => onlyOutput((await handle.infer(tensorOf(options, input))).outputs),
    get receiptCount() {
      return receiptCount
    },
    memorySizeBytes,
    startMs: { launch: launchedAtMs - startedAtMs, activate: activatedAtMs - launchedAtMs },
    async close() {
      await handle.close()
      await handle.closed
      await capsule.close()
    },
  }
}

/** The same through the client's SDK, whose receipts are on the disk before an answer is given out. */
export async function openThroughSdk(provider: PackedBy, options: GuardedOptions): Promise<GuardedModel> {
  const { network, entry, stateDir, threadCount = 1 } = options
  const startedAtMs = performance.now()
  const model = await openMlCapsule({
    capsule: provider.capsules[network] as string,
    publishers: [provider.publisherKeyFile],
    stateDir,
    enclave: { entry, bundleDir: enclaveDir, threadCount },
  })
  const launchedAtMs = performance.now()
  const capsuleId = toBase64Url(model.header.capsuleId)
  await order(provider.storeDir, capsuleId, model.customerKey, options.dims[0] ?? 1)
  const orderedAtMs = performance.now()
  const { memorySizeBytes } = await model.activate({ service: provider.url })
  let receiptCount = 0
  return {
    async ask(input) {
      const { outputs } = await model.run(tensorOf(options, input))
      receiptCount++
      return onlyOutput(outputs)
    },
    get receiptCount() {
      return receiptCount
    },
    memorySizeBytes,
    startMs: { launch: launchedAtMs - startedAtMs, activate: performance.now() - orderedAtMs },
    close: () => model.close(),
  }
}
