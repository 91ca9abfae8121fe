// SPDX-License-Identifier: Apache-2.0
// Memory after a tenth of the queries and after all of them, in a process of its own, which runs with --expose-gc.
import { openGuarded } from './guarded.ts'
import { count, finish, freshOptions, inputOf, provider } from './model-options.ts'
import { processMemory } from './process-memory.ts'

const guarded = await openGuarded(provider, await freshOptions())

async function memoryAfter(queryCount: number) {
  for (let turn = guarded.receiptCount; turn < queryCount; turn++) await guarded.ask(inputOf(turn))
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return {
    queryCount,
    hostSizeBytes: rss,
    hostHeapSizeBytes: heapUsed,
    enclaveSizeBytes: processMemory()?.residentSizeBytes ?? null,
  }
}

const samples = [await memoryAfter(count / 10), await memoryAfter(count)]
await guarded.close()
finish(samples)
