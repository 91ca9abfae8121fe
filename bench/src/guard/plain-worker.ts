// SPDX-License-Identifier: Apache-2.0
// Our engine with the WebAssembly kernels in a worker thread, as the enclave's worker entry has it. Times are taken in here.
import { parentPort, workerData } from 'node:worker_threads'
import { wasm } from '../engines/ours.ts'
import { networkNamed } from './networks.ts'

const loaded = await wasm.load(networkNamed(workerData as string), 1)
parentPort?.on('message', (input: Float32Array) => {
  const startMs = performance.now()
  const output = loaded.run(input) as Float32Array
  parentPort?.postMessage({ ms: performance.now() - startMs, output })
})
parentPort?.postMessage('ready')
