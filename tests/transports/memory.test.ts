// SPDX-License-Identifier: Apache-2.0
import { queryObjects } from 'node:v8'
import { expect, test } from 'vitest'
import { startInMemory } from './machine.ts'
import { challengeFor, createWorld, queryOf, respond } from './world.ts'

/** Objects that are alive after a collection, by kind. */
const alive = () =>
  [ArrayBuffer, Uint8Array, Float32Array, Map, Promise].map((kind) =>
    Number(queryObjects(kind, { format: 'count' })),
  )

test('queries leave nothing behind, on either side of the door', { timeout: 60_000 }, async () => {
  const world = await createWorld({ defenses: [{ name: 'rounding', version: 1, config: { decimals: 3 } }] })
  let entryCount = 0
  const log = { push: () => entryCount++ } as unknown as []
  const handle = await startInMemory(await world.open(), { log })
  const challenge = await challengeFor(world)
  const offer = await handle.beginActivation(challenge.token)
  await handle.finishActivation(await respond(world, challenge, offer, { units: 10_000, blockMax: 100 }))
  const ask = async (count: number) => {
    for (let i = 0; i < count; i++) await handle.infer(queryOf(i))
  }
  await ask(500)
  const before = alive()
  await ask(2_000)
  const left = alive().map((count, i) => count - (before[i] as number))
  // A closing stays until its block is eight blocks old, and as much is there before: a leak would show 2,000 times.
  for (const count of left) expect(count).toBeLessThan(50)
  expect(entryCount).toBeGreaterThanOrEqual(2_500)
  expect(await handle.usage()).toMatchObject({ queryCount: 2_500 })
  await handle.close()
})
