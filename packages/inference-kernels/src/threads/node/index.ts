// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads'
import type { StartThread } from '../threads.ts'

/** The program of this package, as source or as built. */
const ownThreadMain = () =>
  new URL(`../main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)

/**
 * Threads for `createWasmKernels` in Node: Workers without environment, which do not keep the process alive.
 * @param url of the thread's program, by default that of this package
 */
export function nodeThreads(url: URL = ownThreadMain()): StartThread {
  return (task, { onReady, onLost }) => {
    const worker = new Worker(url, { env: {}, execArgv: [] })
    worker.once('message', () => {
      worker.unref()
      onReady()
    })
    worker.on('error', onLost)
    worker.on('exit', (code) => onLost(new Error(`the thread ended with ${code}`)))
    worker.postMessage(task)
    return { end: () => void worker.terminate() }
  }
}
