// SPDX-License-Identifier: Apache-2.0
import { manifestDigest } from '@mlcapsule/attestation'
import type { Capsule } from '@mlcapsule/capsule-format'
import { cryptoReady, toHex } from '@mlcapsule/crypto'
import {
  type BundleCheck,
  bundleFileName,
  filesOf,
  manifestOf,
  measureFile,
  parseBundle,
} from '../bundle/bundle.ts'
import { BridgeError } from '../errors.ts'
import { capsulePages } from '../host/capsule-services.ts'
import type { EnclaveHandle, EnclaveHandleOptions } from '../host/enclave-handle.ts'
import type { HostServices } from '../host/services.ts'
import { type SimulatedMachine, startEnclave } from '../host/start.ts'
import { type PortLike, portChannel } from '../transports/port-channel.ts'

/** What a browser's `Worker` offers of what is needed here. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'error', listener: () => void): void
  terminate(): void
}

export interface WebWorkerEnclaveOptions extends Omit<EnclaveHandleOptions, 'services' | 'anchor' | 'info'> {
  /** Address of the folder with the built enclave, ending in `/`. */
  readonly bundleUrl: string | URL
  readonly capsule: Capsule
  /** Where sealed records are kept: IndexedDB, say. */
  readonly records: Pick<HostServices, 'readRecord' | 'writeRecord'>
  readonly machine: SimulatedMachine
  /** As for `launchEnclave`. */
  readonly memoryBudgetSizeBytes?: number
  /**
   * Threads that one step may use, 1 by default. More take a cross-origin isolated page and an engine with relaxed SIMD; without,
   * the launch fails: `KERNEL_THREADS_UNAVAILABLE`.
   */
  readonly threadCount?: number
  readonly bundleCheck?: BundleCheck
  /** 30 s by default. */
  readonly startTimeoutMs?: number
  /** Makes the Worker; by default a module Worker at the given address. */
  readonly createWorker?: (url: URL) => WorkerLike
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw new BridgeError('BRIDGE_BUNDLE_INVALID', 'a file of the enclave could not be fetched', { cause })
  }
}

function fileUrl(bundleUrl: string | URL, name: string): URL {
  try {
    return new URL(name, bundleUrl)
  } catch (cause) {
    const detail = 'bundleUrl: expected an absolute address that ends in /'
    throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'bundleUrl', cause })
  }
}

function createModuleWorker(url: URL): WorkerLike {
  try {
    return new Worker(url, { type: 'module' })
  } catch (cause) {
    throw new BridgeError('BRIDGE_LAUNCH_FAILED', 'the page may not start a Worker there', { cause })
  }
}

/**
 * Starts the enclave in a browser's module Worker and loads the capsule. Tier `simulated`: the page can read all that the
 * Worker holds.
 * @throws BridgeError `BRIDGE_OPTION_INVALID`, `BRIDGE_BUNDLE_INVALID`, `BRIDGE_BUNDLE_MISMATCH`, `BRIDGE_LAUNCH_FAILED`;
 * CryptoError `CRYPTO_UNAVAILABLE`; EnclaveError
 */
export async function launchWebWorkerEnclave(options: WebWorkerEnclaveOptions): Promise<EnclaveHandle> {
  await cryptoReady()
  const { bundleCheck = 'manifest', startTimeoutMs = 30_000, capsule } = options
  const at = (name: string): URL => fileUrl(options.bundleUrl, name)
  const bundle = parseBundle(new TextDecoder().decode(await fetchBytes(at(bundleFileName))))
  const files = filesOf(bundle, 'web-worker')
  const components = new Map<string, string>()
  for (const name of files) {
    components.set(name, measureFile(bundle, name, await fetchBytes(at(name)), bundleCheck))
  }
  const manifest = manifestOf(bundle, 'worker', components)
  const worker = (options.createWorker ?? createModuleWorker)(at(files[0]))
  const { port1, port2 } = new MessageChannel()
  const channel = portChannel(port1 as unknown as PortLike)
  // The port of a Worker that failed stays open, and closing one end tells the other end alone.
  worker.addEventListener('error', () => channel.close())
  worker.postMessage({ port: port2 }, [port2])
  const handle = await startEnclave(channel, {
    ...options,
    services: { ...options.records, readPages: capsulePages(capsule) },
    manifest,
    kernels: 'wasm',
    threadCount: options.threadCount ?? 1,
    capsulePrefix: capsule.prefix,
    startTimeoutMs,
    info: {
      entry: 'worker',
      manifest,
      manifestSha384: toHex(manifestDigest(manifest)),
      kernels: 'wasm',
      transport: 'message-port',
    },
  }).catch((error: unknown) => {
    worker.terminate()
    throw error
  })
  void handle.closed.then(() => worker.terminate())
  return handle
}
