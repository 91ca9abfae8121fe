// SPDX-License-Identifier: Apache-2.0
// Pairs of queries in a process of its own: guarded and plain in turns.
import { rounding } from '@mlcapsule/defense-plugins'
import { runDefense } from '@mlcapsule/defense-plugins/testing'
import { openGuarded, openThroughSdk } from './guarded.ts'
import {
  count,
  finish,
  freshOptions,
  inputOf,
  inputs,
  network,
  provider,
  throughSdk,
  warmUpMs,
} from './model-options.ts'
import { loadPlain } from './plain.ts'
import { processMemory } from './process-memory.ts'

/** What the capsule's defense makes of an answer. */
function defended(data: Float32Array): Float32Array {
  const rowCount = network.inputDims[0] ?? 1
  const tensor = { dtype: 'float32' as const, shape: [rowCount, data.length / rowCount], data }
  const { outputs } = runDefense(rounding, { decimals: 4 }, { inputs: [], outputs: [tensor] })
  return outputs?.[0]?.data as Float32Array
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength)

const options = await freshOptions()
const guarded = await (throughSdk ? openThroughSdk : openGuarded)(provider, options)
const plain = await loadPlain(options.network, options.entry, options.threadCount ?? 1)

let queryCount = 0
for (const input of inputs) {
  const expected = defended((await plain.ask(input)).output)
  const answer = await guarded.ask(input)
  queryCount++
  if (!bytesOf(answer).equals(bytesOf(expected))) throw new Error(`${network.name}: another answer`)
}

async function timeGuarded(input: Float32Array): Promise<number> {
  const startMs = performance.now()
  await guarded.ask(input)
  queryCount++
  return performance.now() - startMs
}

const guardedMs: number[] = []
const plainMs: number[] = []
/** Until the compiler has seen what is hot, or a while has passed. */
const warmUpCount = 4000
const startedAtMs = performance.now()
for (let turn = 0; turn < warmUpCount && performance.now() - startedAtMs < warmUpMs; turn++) {
  await timeGuarded(inputOf(turn))
  await plain.ask(inputOf(turn))
}
for (let turn = 0; turn < count; turn++) {
  const input = inputOf(turn)
  const isGuardedFirst = turn % 2 === 0
  const early = isGuardedFirst ? await timeGuarded(input) : 0
  plainMs.push((await plain.ask(input)).ms)
  guardedMs.push(isGuardedFirst ? early : await timeGuarded(input))
}
if (guarded.receiptCount !== queryCount) throw new Error('there is not a receipt for each query')
const enclaveSizeBytes = processMemory()?.residentSizeBytes ?? null
await guarded.close()
await plain.close()
const { macCount, parameterCount } = network
const { memorySizeBytes } = guarded
finish({ macCount, parameterCount, enclaveSizeBytes, memorySizeBytes, guardedMs, plainMs })
