// SPDX-License-Identifier: Apache-2.0
// Loads a model into an enclave in a process of its own, and says what that held at most by then, and by its first answer.
import { openGuarded } from './guarded.ts'
import { finish, freshOptions, inputOf, network, provider } from './model-options.ts'
import { processMemory } from './process-memory.ts'

const guarded = await openGuarded(provider, await freshOptions())
const loaded = processMemory()
await guarded.ask(inputOf(0))
const answered = processMemory()
await guarded.close()
finish({
  weightsSizeBytes: 4 * network.parameterCount,
  activateMs: guarded.startMs.activate,
  peakSizeBytes: loaded?.peakSizeBytes ?? null,
  answeredPeakSizeBytes: answered?.peakSizeBytes ?? null,
})
