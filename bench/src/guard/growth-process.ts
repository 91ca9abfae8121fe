// SPDX-License-Identifier: Apache-2.0
// Memory after a thirtieth of the queries, after a third and after all of them, in a process of its own, which runs with
// --expose-gc. The enclave collects when it sees fit, first after some hundred thousand: what grows until then need not go on.
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

const samples = []
for (const share of [30, 3, 1]) samples.push(await memoryAfter(count / share))
await guarded.close()
finish(samples)
