// SPDX-License-Identifier: Apache-2.0
import { KernelError } from '../errors.ts'

/** What a thread is told: the module, the memory of all, and which of the workers it is. */
export interface ThreadTask {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** From 1 on: the caller is worker 0. */
  readonly worker: number
}

export interface ThreadEvents {
  /** The thread has answered its task with a message. */
  onReady(): void
  /** The thread could not start, or has ended unasked. */
  onLost(cause: unknown): void
}

export interface KernelThread {
  /** Ends the thread, whatever it does. */
  end(): void
}

/**
 * Starts a thread that runs `main.ts` and sends it its task. The kernels themselves start nothing: whoever makes them
 * gives them the way, `nodeThreads` or `webThreads`.
 */
export type StartThread = (task: ThreadTask, events: ThreadEvents) => KernelThread

export function threadsError(detail: string, cause?: unknown): KernelError {
  return new KernelError('KERNEL_THREADS_UNAVAILABLE', detail, { field: 'threadCount', cause })
}

/** @throws KernelError `KERNEL_THREADS_UNAVAILABLE` */
export function requireSharedMemory(): void {
  if (typeof SharedArrayBuffer !== 'undefined') return
  throw threadsError('there is no shared memory here: a page has to be cross-origin isolated')
}

/** The threads of one instance of the kernels. */
export class Threads {
  readonly #threads: KernelThread[] = []
  #isLost: boolean = false

  /** Whether one has ended unasked. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** @throws KernelError `KERNEL_THREADS_UNAVAILABLE` where one does not start; none is left then */
  async start(start: StartThread, tasks: readonly ThreadTask[]): Promise<void> {
    try {
      const ready = tasks.map(
        (task) =>
          new Promise<void>((onReady, reject) => {
            const onLost = (cause: unknown) => {
              this.#isLost = true
              reject(cause)
            }
            this.#threads.push(start(task, { onReady, onLost }))
          }),
      )
      await Promise.all(ready)
    } catch (cause) {
      this.end()
      throw threadsError(`a thread of ${tasks.length} did not start`, cause)
    }
  }

  end(): void {
    for (const thread of this.#threads) thread.end()
    this.#threads.length = 0
  }
}

/** Whether this thread may sleep: a page's own may not. */
export function mayWait(memory: WebAssembly.Memory): boolean {
  try {
    Atomics.wait(new Int32Array(memory.buffer), 0, 0, 0)
    return true
  } catch {
    return false
  }
}
