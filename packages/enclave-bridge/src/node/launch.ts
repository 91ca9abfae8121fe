// SPDX-License-Identifier: Apache-2.0
import { existsSync, realpathSync } from 'node:fs'
import { type EnclaveManifest, manifestDigest } from '@mlcapsule/attestation'
import type { Capsule } from '@mlcapsule/capsule-format'
import { cryptoReady, toHex } from '@mlcapsule/crypto'
import type { BundleCheck } from '../bundle/bundle.ts'
import { BridgeError } from '../errors.ts'
import { capsulePages } from '../host/capsule-services.ts'
import type { EnclaveHandle, EnclaveHandleOptions } from '../host/enclave-handle.ts'
import type { LaunchInfo } from '../host/launch-info.ts'
import { startEnclave } from '../host/start.ts'
import { nativeKernelsAddonPath } from './native-kernels.ts'
import { measureBundle } from './node-bundle.ts'
import { sharedMemoryAddonPath } from './shared-memory.ts'
import { spawnProcess } from './spawn-process.ts'
import { spawnWorker } from './spawn-worker.ts'
import { openStateDir } from './state-dir.ts'

export interface LaunchOptions extends Omit<EnclaveHandleOptions, 'services' | 'anchor' | 'info'> {
  readonly entry: 'worker' | 'process'
  /** Folder of a built enclave: `dist` of `@mlcapsule/enclave-runtime`. */
  readonly bundleDir: string
  /** Private folder with this enclave's state; made when absent. One enclave at a time. */
  readonly stateDir: string
  readonly capsule: Capsule
  /** `auto` takes the native kernels where the entry can use them and they are built. */
  readonly kernels?: 'auto' | 'native' | 'wasm'
  /** File of the native kernels; that of the installed `@mlcapsule/inference-kernels` when absent. */
  readonly nativeKernelsPath?: string
  /** Threads that one step may use, 1 by default. More than can be had are refused, never replaced by fewer. */
  readonly threadCount?: number
  /**
   * Keeps the model to so much memory, 1 MiB or more: weights that do not fit come anew with each query. All of them stay in
   * memory when absent.
   */
  readonly memoryBudgetSizeBytes?: number
  readonly bundleCheck?: BundleCheck
  /** False sends everything through the socket. For tests; true by default. */
  readonly sharedMemory?: boolean
  /** 30 s by default. */
  readonly startTimeoutMs?: number
  /** Shows what the process entry writes to its standard error. Off by default. */
  readonly showOutput?: boolean
}

/** What a launch with these options would run and measure, without starting it. */
export interface LaunchPlan {
  readonly manifest: EnclaveManifest
  readonly manifestSha384: string
  readonly kernels: 'wasm' | 'native'
  readonly nativeKernelsPath: string | undefined
  readonly entryPath: string
  readonly sharedMemoryPath: string | undefined
}

type PlanOptions = Pick<
  LaunchOptions,
  'entry' | 'bundleDir' | 'kernels' | 'nativeKernelsPath' | 'bundleCheck' | 'sharedMemory'
>

/** @returns full path of the native kernels' file, without links, or undefined for the wasm ones */
function chooseNative(options: PlanOptions): string | undefined {
  const { entry, kernels = 'auto' } = options
  if (kernels === 'wasm') return undefined
  if (entry === 'worker') {
    if (kernels === 'auto') return undefined
    const detail = 'the worker entry has the wasm kernels alone: expected auto or wasm'
    throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'kernels' })
  }
  const path = options.nativeKernelsPath ?? nativeKernelsAddonPath()
  if (path !== undefined && existsSync(path)) return realpathSync(path)
  if (kernels === 'auto') return undefined
  const detail = 'the native kernels are not built here: run "npm run kernels:build", or expect auto or wasm'
  throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'kernels' })
}

/**
 * Decides and measures what would run.
 * @throws BridgeError `BRIDGE_OPTION_INVALID`, `BRIDGE_BUNDLE_INVALID`, `BRIDGE_BUNDLE_MISMATCH`
 */
export async function planLaunch(options: PlanOptions): Promise<LaunchPlan> {
  await cryptoReady()
  const nativeKernelsPath = chooseNative(options)
  const path = sharedMemoryAddonPath()
  const usesSharedMemory = options.entry === 'process' && options.sharedMemory !== false && existsSync(path)
  const { manifest, entryPath } = await measureBundle({
    bundleDir: options.bundleDir,
    entry: options.entry,
    bundleCheck: options.bundleCheck ?? 'manifest',
    addons: {
      ...(nativeKernelsPath === undefined ? {} : { 'native-kernels': nativeKernelsPath }),
      ...(usesSharedMemory ? { 'shared-memory': path } : {}),
    },
  })
  return {
    manifest,
    manifestSha384: toHex(manifestDigest(manifest)),
    kernels: nativeKernelsPath === undefined ? 'wasm' : 'native',
    nativeKernelsPath,
    entryPath,
    sharedMemoryPath: usesSharedMemory ? path : undefined,
  }
}

function spawnEntry(options: LaunchOptions, plan: LaunchPlan) {
  if (options.entry === 'worker') {
    return { ...spawnWorker(plan.entryPath), transport: 'message-port' as const }
  }
  return spawnProcess({
    entryPath: plan.entryPath,
    addonPaths: plan.nativeKernelsPath === undefined ? [] : [plan.nativeKernelsPath],
    sharedMemoryPath: plan.sharedMemoryPath,
    // Native kernels read weights by themselves, without a way through the host; the wasm ones cannot.
    capsuleDescriptor: plan.kernels === 'native' ? options.capsule.fileDescriptor : undefined,
    allowThreads: plan.kernels === 'wasm' && (options.threadCount ?? 1) > 1,
    showOutput: options.showOutput === true,
  })
}

/**
 * Starts an enclave and loads the capsule. It is then ready for an activation, or to resume. Tier `simulated`: nothing
 * isolates it from this machine's owner.
 * @throws BridgeError `BRIDGE_OPTION_INVALID`, `BRIDGE_BUNDLE_*`, `BRIDGE_STATE_UNUSABLE`, `BRIDGE_LAUNCH_FAILED`;
 * EnclaveError for a capsule that the enclave refuses, and `KERNEL_THREADS_UNAVAILABLE`
 */
export async function launchEnclave(options: LaunchOptions): Promise<EnclaveHandle> {
  const plan = await planLaunch(options)
  const state = await openStateDir(options.stateDir)
  try {
    const spawned = spawnEntry(options, plan)
    const info: LaunchInfo = {
      entry: options.entry,
      manifest: plan.manifest,
      manifestSha384: plan.manifestSha384,
      kernels: plan.kernels,
      transport: spawned.transport,
    }
    const handle = await startEnclave(spawned.channel, {
      ...options,
      info,
      services: { ...state.records, readPages: capsulePages(options.capsule) },
      machine: state.machine,
      manifest: plan.manifest,
      kernels: plan.kernels,
      ...(plan.nativeKernelsPath === undefined ? {} : { nativeKernelsPath: plan.nativeKernelsPath }),
      threadCount: options.threadCount ?? 1,
      capsulePrefix: options.capsule.prefix,
      startTimeoutMs: options.startTimeoutMs ?? 30_000,
    }).catch((error: unknown) => {
      spawned.kill()
      throw error
    })
    void handle.closed.then(() => {
      spawned.kill()
      state.release()
    })
    return handle
  } catch (error) {
    state.release()
    throw error
  }
}
