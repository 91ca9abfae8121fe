// SPDX-License-Identifier: Apache-2.0
// A worker thread of Node. Its one way out is the port that the launcher gave it.
import { workerData } from 'node:worker_threads'
import { type PortLike, portChannel, serveSimulated, wasmKernels } from '../core/index.ts'

const { port } = workerData as { readonly port: PortLike }

serveSimulated(portChannel(port), {
  entry: 'worker',
  kernels: () => Promise.resolve(wasmKernels),
  onStop: () => port.close(),
})
