// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend } from '@mlcapsule/contracts'
import type { AeadProvider } from '@mlcapsule/crypto'
import { Door, type EnclaveHandlers } from '@mlcapsule/enclave-bridge/enclave'
import type { Channel, RequestBody } from '@mlcapsule/enclave-bridge/protocol'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'
import { createEnclave, type Enclave } from './enclave.ts'
import { doorHost } from './host.ts'
import type { Platform } from './platform.ts'
import { simulatedPlatform } from './simulated-platform.ts'

export interface ServeOptions {
  readonly entry: 'worker' | 'process'
  /** Kernels that this entry can offer; asked once, at the launch. */
  readonly kernels: (launch: RequestBody<'launch'>) => Promise<KernelBackend>
  /** WebCrypto when absent. */
  readonly aead?: AeadProvider
  /** Descriptor of the capsule's file, where the host has given one. */
  readonly capsuleFd?: number
  /** Called once, when the door has closed and everything is wiped. */
  readonly onStop: () => void
}

/**
 * Asks for the threads before anything depends on them: an activation would be lost on kernels that cannot have them.
 * @throws KernelError `KERNEL_THREADS_UNAVAILABLE`, `KERNEL_OPTION_INVALID`
 */
async function proveThreads(kernels: KernelBackend, threadCount: number): Promise<void> {
  if (threadCount > 1) (await kernels.create({ memorySizeBytes: 64, threadCount })).dispose()
}

/** Serves the simulated platform: the first request is the launch, which brings what hardware would have brought. */
export function serveSimulated(channel: Channel, options: ServeOptions): void {
  const door = new Door(channel)
  let enclave: Enclave | undefined
  const launch: EnclaveHandlers['launch'] = async (body) => {
    if (enclave !== undefined) {
      throw new BridgeError('ENCLAVE_STATE_INVALID', 'launched before', { field: 'launch' })
    }
    const { entry, aead } = options
    const kernels = await options.kernels(body)
    await proveThreads(kernels, body.threadCount)
    const platform = await simulatedPlatform({
      launch: body,
      door,
      entry,
      kernels,
      ...(aead === undefined ? {} : { aead }),
    })
    enclave = createEnclave(platform, doorHost(door, options.capsuleFd))
    return { body: {} }
  }
  serveEnclave(door, { launch, enclave: () => enclave, onStop: options.onStop })
}

/**
 * Serves a platform that is there by itself. A launch, by which a host plays the hardware, is refused.
 * @param onStop called once, when the door has closed and everything is wiped
 */
export function servePlatform(channel: Channel, platform: Platform, onStop: () => void): void {
  const door = new Door(channel)
  const enclave = createEnclave(platform, doorHost(door))
  const launch: EnclaveHandlers['launch'] = async () => {
    throw new BridgeError('ENCLAVE_STATE_INVALID', 'nobody plays this platform', { field: 'launch' })
  }
  serveEnclave(door, { launch, enclave: () => enclave, onStop })
}

interface ServedEnclave {
  readonly launch: EnclaveHandlers['launch']
  /** Undefined before it is launched. */
  readonly enclave: () => Enclave | undefined
  readonly onStop: () => void
}

function serveEnclave(door: Door, { launch, enclave, onStop }: ServedEnclave): void {
  const launched = <Op extends keyof Enclave>(op: Op): Enclave[Op] => {
    const it = enclave()
    if (it === undefined) throw new BridgeError('ENCLAVE_STATE_INVALID', 'not launched', { field: 'launch' })
    return it[op]
  }
  door.serve({
    launch,
    hello: async (...request) => await launched('hello')(...request),
    load: async (...request) => await launched('load')(...request),
    beginActivation: async (...request) => await launched('beginActivation')(...request),
    finishActivation: async (...request) => await launched('finishActivation')(...request),
    resume: async (...request) => await launched('resume')(...request),
    infer: async (...request) => await launched('infer')(...request),
    openSequence: async (...request) => await launched('openSequence')(...request),
    closeSequence: async (...request) => await launched('closeSequence')(...request),
    usage: async (...request) => await launched('usage')(...request),
    statement: async (...request) => await launched('statement')(...request),
    close: async (...request) => await launched('close')(...request),
    stop() {
      enclave()?.stop()
      onStop()
    },
  })
}
