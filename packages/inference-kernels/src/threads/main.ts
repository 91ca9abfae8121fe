// SPDX-License-Identifier: Apache-2.0
// What a thread of the kernels runs, in a Worker of Node or of a browser: an instance of the module on the memory of all,
// which waits for loops in C. A file of its own without any import, so that a thread holds nothing else.
import type { ThreadTask } from './threads.ts'

interface ParentPort {
  onmessage: ((event: { readonly data: ThreadTask }) => void) | null
  postMessage(message: unknown): void
  close(): void
}

interface ThreadExports {
  readonly __stack_pointer: WebAssembly.Global
  stackEnd(worker: number): number
  serveThread(worker: number): void
  failThreads(): void
}

const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> }
const parent = (process?.getBuiltinModule?.('node:worker_threads').parentPort ??
  globalThis) as unknown as ParentPort

parent.onmessage = ({ data: { module, memory, worker } }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const { __stack_pointer, stackEnd, serveThread, failThreads } = exports as unknown as ThreadExports
  __stack_pointer.value = stackEnd(worker)
  parent.postMessage(null)
  try {
    serveThread(worker)
  } catch (error) {
    failThreads()
    throw error
  }
  parent.close()
}
