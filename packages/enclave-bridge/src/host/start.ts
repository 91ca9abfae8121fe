// SPDX-License-Identifier: Apache-2.0
import { type EnclaveManifest, manifestDigest } from '@mlcapsule/attestation'
import type { Anchor } from '@mlcapsule/contracts'
import { encodeCbor, equalBytes, expose, type Secret, wipe } from '@mlcapsule/crypto'
import { BridgeError } from '../errors.ts'
import type { Channel } from '../protocol/channel.ts'
import { bridgeLimits } from '../protocol/limits.ts'
import { EnclaveHandle, type EnclaveHandleOptions } from './enclave-handle.ts'

/** What the launcher plays hardware with on the simulated platform. */
export interface SimulatedMachine {
  readonly rootPrivateKey: Secret<'ed25519-private'>
  readonly platformKey: Secret<'platform-key'>
  readonly anchor: Anchor
}

export interface AttachOptions extends Omit<EnclaveHandleOptions, 'anchor'> {
  readonly manifest: EnclaveManifest
  /** Start of the capsule, loaded at once. */
  readonly capsulePrefix: Uint8Array
  /** How long the enclave may take to show itself. */
  readonly startTimeoutMs: number
}

export interface StartOptions extends AttachOptions {
  readonly machine: SimulatedMachine
  readonly kernels: 'wasm' | 'native'
  readonly nativeKernelsPath?: string
  readonly threadCount: number
  readonly memoryBudgetSizeBytes?: number
}

function assertBudget(sizeBytes: number | undefined): void {
  const { memoryBudgetMinSizeBytes: min, memoryBudgetMaxSizeBytes: max } = bridgeLimits
  if (sizeBytes === undefined || (Number.isSafeInteger(sizeBytes) && sizeBytes >= min && sizeBytes <= max))
    return
  const detail = `memoryBudgetSizeBytes: expected ${min} to ${max} bytes, got ${sizeBytes}`
  throw new BridgeError('BRIDGE_OPTION_INVALID', detail, { field: 'memoryBudgetSizeBytes' })
}

/**
 * Does what every launch ends with: gives the enclave its simulated hardware, agrees on a version, loads the capsule.
 * @throws BridgeError `BRIDGE_OPTION_INVALID`; `BRIDGE_LAUNCH_FAILED` if it does not come up; EnclaveError for a capsule that it refuses
 */
export async function startEnclave(channel: Channel, options: StartOptions): Promise<EnclaveHandle> {
  const { machine, manifest, kernels, nativeKernelsPath, threadCount, memoryBudgetSizeBytes } = options
  const { startTimeoutMs } = options
  assertBudget(memoryBudgetSizeBytes)
  const handle = new EnclaveHandle(channel, { ...options, anchor: machine.anchor })
  const rootPrivateKey = expose(machine.rootPrivateKey, 'ed25519-private').slice()
  const platformKey = expose(machine.platformKey, 'platform-key').slice()
  try {
    const body = {
      manifest: encodeCbor(manifest),
      rootPrivateKey,
      platformKey,
      anchorDescriptor: machine.anchor.descriptor,
      kernels,
      threadCount,
      ...(nativeKernelsPath === undefined ? {} : { nativeKernelsPath }),
      ...(memoryBudgetSizeBytes === undefined ? {} : { memoryBudgetSizeBytes }),
    }
    return await greet(handle, options, () => handle.launch(body, { timeoutMs: startTimeoutMs }))
  } finally {
    wipe(rootPrivateKey)
    wipe(platformKey)
  }
}

/**
 * Takes up an enclave that runs on hardware and was started by other means: agrees on a version, loads the capsule. Nobody
 * plays hardware for it.
 * @throws BridgeError `BRIDGE_LAUNCH_FAILED` if it does not come up; EnclaveError for a capsule that it refuses
 */
export async function attachEnclave(channel: Channel, options: AttachOptions): Promise<EnclaveHandle> {
  return await greet(new EnclaveHandle(channel, options), options, () => Promise.resolve())
}

async function greet(
  handle: EnclaveHandle,
  { manifest, capsulePrefix, startTimeoutMs }: AttachOptions,
  launch: () => Promise<void>,
): Promise<EnclaveHandle> {
  try {
    await launch()
    const hello = await handle.hello({ timeoutMs: startTimeoutMs })
    if (!equalBytes(hello.manifestSha384, manifestDigest(manifest))) {
      throw new BridgeError('BRIDGE_PROTOCOL_VIOLATION', 'the enclave shows another manifest than expected')
    }
    await handle.load(capsulePrefix, { timeoutMs: startTimeoutMs })
    return handle
  } catch (error) {
    handle.disconnect()
    const silent =
      error instanceof BridgeError && (error.code === 'ENCLAVE_DIED' || error.code === 'BRIDGE_TIMEOUT')
    if (!silent) throw error
    throw new BridgeError('BRIDGE_LAUNCH_FAILED', 'the enclave ended, or said nothing, before it was ready', {
      cause: error,
    })
  }
}
