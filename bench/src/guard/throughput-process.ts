// SPDX-License-Identifier: Apache-2.0
// Items per second with several queries in flight, in a process of its own.
import { openGuarded } from './guarded.ts'
import { count, finish, freshOptions, inputOf, network, provider } from './model-options.ts'

const runMs = 1500

const guarded = await openGuarded(provider, await freshOptions())
for (let turn = 0; turn < 50; turn++) await guarded.ask(inputOf(turn))
let answerCount = 0
const startedAtMs = performance.now()
const client = async () => {
  while (performance.now() - startedAtMs < runMs) {
    await guarded.ask(inputOf(answerCount))
    answerCount++
  }
}
await Promise.all(Array.from({ length: count }, client))
const seconds = (performance.now() - startedAtMs) / 1000
await guarded.close()
finish({ itemsPerSecond: (answerCount * (network.inputDims[0] ?? 1)) / seconds })
