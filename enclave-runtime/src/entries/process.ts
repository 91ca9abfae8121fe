// SPDX-License-Identifier: Apache-2.0
// A child process of Node. Descriptor 3 is a socket to the launcher; 4 and 5, where there are such, are the rings. Its
// argument is JSON: size of a ring and path of the addon that maps it, and the descriptor of the capsule's file; each of
// these may be absent.
import { createRequire } from 'node:module'
import { type OnReadOpts, Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { nodeAead } from '@mlcapsule/crypto/node'
import { createNativeKernels } from '@mlcapsule/inference-kernels/native'
import { nodeThreads } from '@mlcapsule/inference-kernels/threads/node'
import {
  type ByteStream,
  createWasmKernels,
  type SharedRings,
  StreamChannel,
  serveSimulated,
} from '../core/index.ts'

// V8 optimizes what has run some hundred times. A query that takes long comes that often only after minutes, and until then
// most of what guarding adds to it is code that is not optimized yet. An engine that does not know these goes on without.
setFlagsFromString('--invocation-count-for-maglev=20')
setFlagsFromString('--minimum-invocations-after-ic-update=20')

const socketFd = 3
/** What the host writes, and what it reads. */
const ringFds = { incoming: 4, outgoing: 5 }

/** What one read brings at most: more than all records of a usual request. */
const readMaxSizeBytes = 65_536

function openStream(): ByteStream {
  let listener: (chunk: Uint8Array) => void = () => undefined
  // Each read arrives in the same memory and comes here at once, without a way through the queue of a stream. Whoever
  // listens is done with it, or has copied it, when it returns.
  const onread: OnReadOpts = {
    buffer: new Uint8Array(readMaxSizeBytes),
    callback(sizeBytes, buffer) {
      listener(buffer.subarray(0, sizeBytes))
      return true
    },
  }
  const socket = new Socket({ fd: socketFd, readable: true, writable: true, onread })
  return {
    write: (bytes) => void socket.write(bytes),
    onData(it) {
      listener = it
      socket.resume()
    },
    onEnd(listener) {
      socket.on('close', listener)
      // A launcher that is gone is all that an error can mean here; `close` follows it.
      socket.on('error', () => undefined)
    },
    end: () => void socket.end(),
  }
}

function mapRings(sizeBytes: number, addonPath: string): SharedRings {
  const addon = createRequire(import.meta.url)(addonPath) as {
    map(fd: number, sizeBytes: number): ArrayBuffer
  }
  const map = (fd: number) => new Uint8Array(addon.map(fd, sizeBytes))
  return { incoming: map(ringFds.incoming), outgoing: map(ringFds.outgoing) }
}

const { ringSizeBytes, sharedMemoryPath, capsuleFd } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly ringSizeBytes?: number
  readonly sharedMemoryPath?: string
  readonly capsuleFd?: number
}
const rings =
  ringSizeBytes === undefined || sharedMemoryPath === undefined
    ? undefined
    : mapRings(ringSizeBytes, sharedMemoryPath)

serveSimulated(new StreamChannel(openStream(), rings), {
  entry: 'process',
  ...(capsuleFd === undefined ? {} : { capsuleFd }),
  aead: nodeAead,
  kernels: ({ kernels, nativeKernelsPath }) =>
    Promise.resolve(
      kernels === 'native' && nativeKernelsPath !== undefined
        ? createNativeKernels({ addonPath: nativeKernelsPath })
        : createWasmKernels({ startThread: nodeThreads(new URL('./kernel-thread.mjs', import.meta.url)) }),
    ),
  // Everything is wiped; what is still to be sent goes out before the socket closes.
  onStop: () => setImmediate(() => process.exit(0)),
})
