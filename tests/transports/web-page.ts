// SPDX-License-Identifier: Apache-2.0
// Runs in a page: launches the built enclave in a module Worker, activates it with the provider that the test plays, asks.
import { httpRangeSource, openCapsule } from '@mlcapsule/capsule-format'
import type { Tensor } from '@mlcapsule/contracts'
import { fromBase64Url, generateSigningKeyPair, randomBytes, Secret, toBase64Url } from '@mlcapsule/crypto'
import {
  type ActivationOffer,
  launchWebWorkerEnclave,
  type WebWorkerEnclaveOptions,
} from '@mlcapsule/enclave-bridge'
import { memoryRecords } from '@mlcapsule/enclave-bridge/host'
import { createSession } from '@mlcapsule/inference-kernels'
import { imageProgram } from '@mlcapsule/inference-kernels/testing'
import { webThreads } from '@mlcapsule/inference-kernels/threads/web'
import { createWasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { volatileAnchor } from '@mlcapsule/metering'
import { queryOf } from './world.ts'

/** What the page asks of the test. Bytes travel as base64url. */
export interface Provider {
  challenge(): Promise<string>
  respond(offer: Record<keyof ActivationOffer, string>): Promise<string>
}

export interface PageReport {
  readonly manifestSha384: string
  readonly components: readonly string[]
  readonly answers: readonly (readonly number[])[]
  readonly refused: string
  readonly units: number
  readonly isa: string
}

declare global {
  var provider: (request: string, argument?: unknown) => Promise<string>
  /** Runs a program on the page's own thread, which may not wait, and on others. */
  var runProgram: (batch: number, threadCount: number, threadPath?: string) => Promise<readonly number[]>
  var runEnclave: (publisher: string, bundleUrl: string, change?: LaunchChange) => Promise<PageReport>
}

type LaunchChange = Pick<WebWorkerEnclaveOptions, 'bundleCheck' | 'startTimeoutMs' | 'threadCount'> & {
  /** Items of each query, 1 by default. */
  readonly itemCount?: number
}

function encodeOffer(offer: ActivationOffer): Record<keyof ActivationOffer, string> {
  return {
    releaseKey: toBase64Url(offer.releaseKey),
    identityKey: toBase64Url(offer.identityKey),
    headerHash: toBase64Url(offer.headerHash),
    anchor: toBase64Url(offer.anchor ?? new Uint8Array(0)),
    manifest: JSON.stringify(offer.manifest),
    evidence: JSON.stringify({ platform: offer.evidence.platform, bytes: toBase64Url(offer.evidence.bytes) }),
  }
}

globalThis.runEnclave = async (publisher, bundleUrl, { itemCount = 1, ...change } = {}) => {
  const source = await httpRangeSource(new URL('/model.capsule', location.href).href)
  const capsule = await openCapsule(source, { publishers: [fromBase64Url(publisher)] })
  const handle = await launchWebWorkerEnclave({
    bundleUrl: bundleUrl.startsWith('/') ? new URL(bundleUrl, location.href) : bundleUrl,
    capsule,
    ...change,
    records: memoryRecords(),
    machine: {
      rootPrivateKey: generateSigningKeyPair().privateKey,
      platformKey: Secret.fromBytes('platform-key', randomBytes(32)),
      anchor: volatileAnchor(),
    },
  })
  const offer = await handle.beginActivation(await globalThis.provider('challenge'))
  const { isa } = await handle.finishActivation(await globalThis.provider('respond', encodeOffer(offer)))
  const answers: number[][] = []
  for (let i = 0; i < 4; i++) {
    const { outputs } = await handle.infer(queryOf(i, itemCount))
    const { data } = outputs.get('y') as Tensor
    answers.push([...(data as Float32Array)])
  }
  const refused = await handle.infer(queryOf(9, itemCount)).catch((error: { code: string }) => error.code)
  const { unitsSpent } = await handle.usage()
  await handle.close()
  return {
    manifestSha384: handle.info.manifestSha384,
    components: handle.info.manifest.components.map((it) => it.name),
    answers,
    refused: typeof refused === 'string' ? refused : '',
    units: unitsSpent,
    isa,
  }
}

globalThis.runProgram = async (batch, threadCount, threadPath = '/enclave/kernel-thread.mjs') => {
  const kernels = createWasmKernels({ startThread: webThreads(new URL(threadPath, location.href)) })
  const session = await createSession({ ...imageProgram(1), kernels, symbols: { N: batch }, threadCount })
  const data = Float32Array.from({ length: batch * 3 * 64 }, (_, i) => Math.sin(i))
  const image: Tensor = { dtype: 'float32', shape: [batch, 3, 8, 8], data }
  const answers: number[] = []
  for (let i = 0; i < 5; i++) {
    const outputs = session.run(new Map([['image', image]]))
    answers.push(...((outputs.get('scores') as Tensor).data as Float32Array))
  }
  session.dispose()
  return answers
}
