// SPDX-License-Identifier: Apache-2.0
// A worker thread of Node. Its one way out is the port that the launcher gave it.
import { workerData } from 'node:worker_threads'
import { nodeThreads } from '@mlcapsule/inference-kernels/threads/node'
import { createWasmKernels, type PortLike, portChannel, serveSimulated } from '../core/index.ts'

const { port } = workerData as { readonly port: PortLike }

const startThread = nodeThreads(new URL('./kernel-thread.mjs', import.meta.url))

serveSimulated(portChannel(port), {
  entry: 'worker',
  kernels: () => Promise.resolve(createWasmKernels({ startThread })),
  onStop: () => port.close(),
})
