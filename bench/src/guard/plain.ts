// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { native, nativeF16, nativeInt8 } from '../engines/ours.ts'
import type { Entry } from './guarded.ts'
import { networkNamed, weightsStorageOf } from './networks.ts'

export interface PlainAnswer {
  /** Of the query alone, measured where it ran. */
  readonly ms: number
  readonly output: Float32Array
}

/** Our engine without a guard, with the kernels that the entry has, in the kind of thread that it has. */
export interface PlainModel {
  ask(input: Float32Array): Promise<PlainAnswer>
  close(): Promise<void>
}

const natives = { f32: native, f16: nativeF16, int8: nativeInt8 }

async function loadNative(name: string, threadCount: number): Promise<PlainModel> {
  const loaded = await natives[weightsStorageOf(name)].load(networkNamed(name), threadCount)
  return {
    async ask(input) {
      const startMs = performance.now()
      const output = loaded.run(input) as Float32Array
      return { ms: performance.now() - startMs, output }
    },
    close: async () => loaded.close(),
  }
}

async function loadWasm(name: string): Promise<PlainModel> {
  const worker = new Worker(join(import.meta.dirname, 'plain-worker.ts'), { workerData: name })
  await once(worker, 'message')
  return {
    async ask(input) {
      worker.postMessage(input)
      const [answer] = (await once(worker, 'message')) as [PlainAnswer]
      return answer
    },
    close: async () => void (await worker.terminate()),
  }
}

export function loadPlain(name: string, entry: Entry, threadCount: number): Promise<PlainModel> {
  return entry === 'worker' ? loadWasm(name) : loadNative(name, threadCount)
}
