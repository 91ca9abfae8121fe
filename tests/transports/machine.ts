// SPDX-License-Identifier: Apache-2.0
import { type EnclaveManifest, manifestDigest } from '@mlcapsule/attestation'
import type { Capsule } from '@mlcapsule/capsule-format'
import type { Anchor, KernelBackend } from '@mlcapsule/contracts'
import { generateSigningKeyPair, randomBytes, Secret, toHex } from '@mlcapsule/crypto'
import { type EnclaveHandle, type EnclaveHandleOptions, memoryChannelPair } from '@mlcapsule/enclave-bridge'
import { capsulePages, type HostServices, startEnclave } from '@mlcapsule/enclave-bridge/host'
import type { Channel, Frame } from '@mlcapsule/enclave-bridge/protocol'
import { plugins, serveSimulated, wasmKernels } from '@mlcapsule/enclave-runtime'
import { type ReceiptLogEntry, volatileAnchor } from '@mlcapsule/metering'

/** Sealed records in memory, which a test may look at, keep and put back. */
export interface KeptRecords {
  readonly records: Map<string, Uint8Array>
  readonly anchor: Anchor
  readonly platformKey: Uint8Array
}

export function freshMachine(): KeptRecords {
  return { records: new Map(), anchor: volatileAnchor(), platformKey: randomBytes(32) }
}

const manifest: EnclaveManifest = {
  version: 1,
  entry: 'worker',
  components: [{ name: 'enclave-core.mjs', sha384: '11'.repeat(48) }],
  plugins: [...plugins],
}

/** Sizes of a frame that crosses. */
export interface CrossingFrame {
  readonly from: 'host' | 'enclave'
  readonly controlSizeBytes: number
  readonly payloadSizesBytes: readonly number[]
}

/** The host's end of a channel, with every frame that it sends or gets told of. */
function watched(channel: Channel, onFrame: (frame: CrossingFrame) => void): Channel {
  const tell = (from: CrossingFrame['from'], { control, payloads }: Frame) =>
    onFrame({ from, controlSizeBytes: control.length, payloadSizesBytes: payloads.map((it) => it.length) })
  return {
    send(frame, options) {
      tell('host', frame)
      channel.send(frame, options)
    },
    listen: ({ onFrame: receive, ...listener }) =>
      channel.listen({
        ...listener,
        onFrame(frame) {
          tell('enclave', frame)
          receive(frame)
        },
      }),
    close: () => channel.close(),
  }
}

export interface StartInMemoryOptions {
  readonly machine?: KeptRecords
  readonly services?: Partial<HostServices>
  readonly log?: ReceiptLogEntry[]
  readonly anchor?: Anchor
  readonly kernels?: KernelBackend
  readonly onEvent?: EnclaveHandleOptions['onEvent']
  readonly onFrame?: (frame: CrossingFrame) => void
  /** The host's clock. */
  readonly now?: () => number
}

/** The enclave's program in this very thread: all that an entry does, but for starting one. */
export async function startInMemory(
  capsule: Capsule,
  options: StartInMemoryOptions = {},
): Promise<EnclaveHandle> {
  const { machine = freshMachine(), services = {}, log = [] } = options
  const [ownChannel, enclaveChannel] = memoryChannelPair()
  const hostChannel = options.onFrame === undefined ? ownChannel : watched(ownChannel, options.onFrame)
  serveSimulated(enclaveChannel, {
    entry: 'worker',
    kernels: () => Promise.resolve(options.kernels ?? wasmKernels),
    onStop: () => undefined,
  })
  return await startEnclave(hostChannel, {
    info: {
      entry: 'worker',
      manifest,
      manifestSha384: toHex(manifestDigest(manifest)),
      kernels: 'wasm',
      transport: 'message-port',
    },
    services: {
      readPages: capsulePages(capsule),
      readRecord: (slot) => Promise.resolve(machine.records.get(slot)?.slice() ?? null),
      writeRecord: (slot, record) => {
        if (record === null) machine.records.delete(slot)
        else machine.records.set(slot, record.slice())
        return Promise.resolve()
      },
      ...services,
    },
    ...(options.now === undefined ? {} : { now: options.now }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    onLog: (entries) => {
      log.push(...entries)
      return Promise.resolve()
    },
    machine: {
      rootPrivateKey: generateSigningKeyPair().privateKey,
      platformKey: Secret.fromBytes('platform-key', machine.platformKey),
      anchor: options.anchor ?? machine.anchor,
    },
    manifest,
    kernels: 'wasm',
    threadCount: 1,
    capsulePrefix: capsule.prefix,
    startTimeoutMs: 20_000,
  })
}
