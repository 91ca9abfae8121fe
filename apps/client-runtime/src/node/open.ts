// SPDX-License-Identifier: Apache-2.0
import { openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import type { BundleCheck, EnclaveHandle } from '@mlcapsule/enclave-bridge'
import { awaitEnclave, type LaunchOptions, launchEnclave } from '@mlcapsule/enclave-bridge/node'
import { ClientError } from '../errors.ts'
import { MlCapsule } from '../sdk/ml-capsule.ts'
import { CapsuleRecords } from './capsule-records.ts'
import { openCustomerKey } from './customer-key.ts'
import { findEnclave } from './enclave-location.ts'
import { readPublicKey } from './public-key.ts'
import { readImage } from './read-image.ts'
import { readManifest } from './read-manifest.ts'
import { defaultStateDir, makePrivateFolder, openStateDir } from './state-dir.ts'

/** An enclave that is started here. */
export interface LocalEnclaveOptions {
  /** `process` starts a child process, `worker` a thread of this one; both are tier `simulated` at most. */
  readonly entry?: 'process' | 'worker'
  /** Folder of the built enclave; where builds and packages put it when absent. */
  readonly bundleDir?: string
  /** `auto` takes the native kernels where there are any. */
  readonly kernels?: 'auto' | 'native' | 'wasm'
  /** File of the native kernels; the installed ones when absent. */
  readonly nativeKernelsPath?: string
  /** Threads that one step may use, 1 when absent. */
  readonly threadCount?: number
  /**
   * Keeps the model to so much memory, 1 MiB or more: weights that do not fit are opened anew for each query. All of them
   * stay in memory when absent.
   */
  readonly memoryBudgetSizeBytes?: number
  /** `manifest` refuses files that were changed after the build; `measure` starts them and shows what they are. */
  readonly bundleCheck?: BundleCheck
}

/** An enclave on hardware, which its platform starts from an image, and which calls here. */
export interface HardwareEnclaveOptions {
  /** Path of the image's `enclave-manifest.json`: what the enclave has to be. */
  readonly manifest: string
  /** Where it calls: 127.0.0.1 and a free port when absent. A virtual machine needs an address that it reaches. */
  readonly listen: {
    readonly host?: string
    readonly port?: number
    /** How long it may take to call: 120 s when absent. */
    readonly waitMs?: number
    /** Told where it is waited for. */
    readonly onListening?: (address: { readonly host: string; readonly port: number }) => void
  }
}

export type EnclaveOptions = LocalEnclaveOptions | HardwareEnclaveOptions

export interface OpenOptions {
  /** Path of the capsule. */
  readonly capsule: string
  /**
   * Keys of the publishers whom you trust, received from them and not with the capsule: 32 bytes each, or as text the
   * path of a JSON Web Key or its `x`.
   */
  readonly publishers: readonly (Uint8Array | string)[]
  /** Private folder for the client's key, the enclave's sealed state and the receipts; the user's own when absent. */
  readonly stateDir?: string
  readonly enclave?: EnclaveOptions
  /** Told how far the enclave has come with loading the weights. */
  readonly onEvent?: (code: string, numbers: readonly number[]) => void
}

/**
 * Opens a capsule whose publisher is trusted, and starts an enclave with it, or waits for one on hardware. What such a one has
 * sealed ends with it: activate after each opening, with `again` from the second on.
 * @throws ClientError `CLIENT_PUBLISHER_UNKNOWN`, `CLIENT_ENCLAVE_MISSING`, `CLIENT_STATE_UNSAFE`, `CLIENT_KEY_FILE_INVALID`,
 * `CLIENT_FILE_*`; AttestationError `ATTESTATION_MANIFEST_INVALID`; CapsuleFormatError `CAPSULE_*`; BridgeError `BRIDGE_*`;
 * EnclaveError
 */
export async function openMlCapsule(options: OpenOptions): Promise<MlCapsule> {
  if (options.publishers.length === 0) {
    throw new ClientError('CLIENT_PUBLISHER_UNKNOWN', 'no publisher key is given', { field: 'publishers' })
  }
  const publishers = await Promise.all(
    options.publishers.map((key) => (typeof key === 'string' ? readPublicKey(key) : key)),
  )
  const start = await enclaveStarter(options.enclave ?? {})
  const state = await openStateDir(options.stateDir ?? defaultStateDir(process.env))
  const source = await fileSource(options.capsule)
  let records: CapsuleRecords | undefined
  try {
    const capsule = await openCapsule(source, { publishers })
    const customer = await openCustomerKey(state.customerKeyPath)
    const paths = state.capsule(capsule.header.capsuleId)
    await makePrivateFolder(paths.path)
    const kept = new CapsuleRecords(paths)
    records = kept
    const enclave = await start({
      stateDir: paths.enclaveDir,
      capsule,
      onLog: (entries) => kept.keepReceipts(entries),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    })
    return new MlCapsule({ capsule, enclave, records: kept, customer, readImage })
  } catch (error) {
    await records?.close()
    await source.close?.()
    throw error
  }
}

type StartOptions = Pick<LaunchOptions, 'stateDir' | 'capsule' | 'onLog' | 'onEvent'>

/** Finds out what it is that will be started, before anything is opened. */
async function enclaveStarter(
  options: EnclaveOptions,
): Promise<(start: StartOptions) => Promise<EnclaveHandle>> {
  if ('listen' in options) {
    const manifest = await readManifest(options.manifest)
    return ({ stateDir: _stateDir, ...start }) => awaitEnclave({ ...options.listen, ...start, manifest })
  }
  const { entry = 'process', bundleDir, ...enclaveOptions } = options
  const enclaveDir = findEnclave(bundleDir)
  return (start) => launchEnclave({ ...enclaveOptions, ...start, entry, bundleDir: enclaveDir })
}
