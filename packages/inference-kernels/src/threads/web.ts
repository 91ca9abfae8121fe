// SPDX-License-Identifier: Apache-2.0
import type { StartThread } from './threads.ts'

/**
 * Threads for `createWasmKernels` in browsers: module Workers. The page has to be cross-origin isolated, and its
 * Content-Security-Policy to allow Workers from the address (`worker-src`).
 * @param url of the thread's program: `@mlcapsule/inference-kernels/threads/main`, where a bundler has put it
 */
export function webThreads(url: URL): StartThread {
  return (task, { onReady, onLost }) => {
    const worker = new Worker(url, { type: 'module' })
    worker.addEventListener('message', onReady)
    worker.addEventListener('error', (event) => onLost(event.error ?? event))
    worker.postMessage(task)
    return { end: () => worker.terminate() }
  }
}
