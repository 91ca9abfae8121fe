// SPDX-License-Identifier: Apache-2.0

import type { Tensor } from '@mlcapsule/contracts'
import type { EnclaveHandle, Inference } from '@mlcapsule/enclave-bridge'
import { type ReceiptLogEntry, verifyLicense, verifyReceiptChain, verifyStatement } from '@mlcapsule/metering'
import { describe, expect, test } from 'vitest'
import { freshMachine, type StartInMemoryOptions, startInMemory } from './machine.ts'
import {
  challengeFor,
  createWorld,
  expectedAnswer,
  type ProviderOptions,
  queryOf,
  respond,
  type World,
} from './world.ts'

async function activate(world: World, handle: EnclaveHandle, options: ProviderOptions = {}) {
  const challenge = await challengeFor(world)
  const offer = await handle.beginActivation(challenge.token)
  return await handle.finishActivation(await respond(world, challenge, offer, options))
}

async function started(world: World, options: StartInMemoryOptions & ProviderOptions = {}) {
  const handle = await startInMemory(await world.open(), options)
  const active = await activate(world, handle, options)
  return { handle, active }
}

function valuesOf({ outputs }: Inference): number[] {
  return [...((outputs.get('y') as Tensor).data as Float32Array)]
}

const code = (expected: string) => expect.objectContaining({ code: expected })

describe('an activated enclave', () => {
  test('answers as the model is defined, with receipts and a statement that verify', async () => {
    const world = await createWorld()
    const log: ReceiptLogEntry[] = []
    const { handle, active } = await started(world, { log })
    expect(active.usage).toMatchObject({ grantUnits: 100, unitsLeft: 100, unitsSpent: 0 })
    // The model takes next to nothing; the kernels' scratch is 5.1 MiB.
    expect(active.memorySizeBytes).toBe(6 * 1_048_576)
    for (let i = 0; i < 20; i++) {
      const query = queryOf(i)
      const answer = await handle.infer(query)
      expect(answer).toMatchObject({ verdict: 'pass', units: 1, unitsLeft: 99 - i })
      const found = valuesOf(answer)
      expect(found.length).toBe(4)
      for (const [at, value] of expectedAnswer(query).entries()) expect(found[at]).toBeCloseTo(value, 5)
    }
    const { head } = await handle.usage()
    const statement = await handle.close()
    const license = await verifyLicense(active.license, [world.authority.publicKey])
    const chain = await verifyReceiptChain(log, { license })
    expect(chain).toMatchObject({ units: 20, openReceiptCount: 0 })
    expect(chain.head).toEqual(head)
    expect((await verifyStatement(statement as string, license, null)).history.units).toBe(20)
  })

  test('answers batches of any size, and charges each item', async () => {
    const world = await createWorld()
    const { handle } = await started(world)
    for (const itemCount of [1, 3, 8, 2]) {
      const query = queryOf(itemCount, itemCount)
      const answer = await handle.infer(query)
      expect(answer.units).toBe(itemCount)
      expect(answer.outputs.get('y')?.shape).toEqual([itemCount, 4])
      for (const [at, value] of expectedAnswer(query).entries()) {
        expect(Number(answer.outputs.get('y')?.data[at])).toBeCloseTo(value, 5)
      }
    }
    expect((await handle.usage()).unitsSpent).toBe(14)
    await expect(handle.infer(queryOf(1, 9))).rejects.toThrow(code('LEDGER_QUERY_TOO_LARGE'))
    expect((await handle.usage()).unitsSpent).toBe(14)
    await handle.close()
  })

  test('stops at the end of its quota, without charging the query that is refused', async () => {
    const world = await createWorld()
    const { handle } = await started(world, { units: 3, blockMax: 2 })
    for (let i = 0; i < 3; i++) await handle.infer(queryOf(i))
    await expect(handle.infer(queryOf(3))).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
    expect(await handle.usage()).toMatchObject({ unitsSpent: 3, unitsLeft: 0 })
    await handle.close()
  })

  test('runs the defenses that the capsule names, in its order', async () => {
    const world = await createWorld({
      defenses: [
        { name: 'top-k', version: 1, config: { k: 2 } },
        { name: 'rounding', version: 1, config: { decimals: 1 } },
      ],
    })
    const { handle } = await started(world)
    const answer = await handle.infer(queryOf(5))
    expect(answer.verdict).toBe('perturb')
    const values = valuesOf(answer)
    expect(values.filter((it) => it !== 0).length).toBeLessThanOrEqual(2)
    for (const value of values) expect(value).toBeCloseTo(Math.round(value * 10) / 10, 6)
    await handle.close()
  })

  test('answers a retry again without charging it, and refuses it for another query', async () => {
    const world = await createWorld()
    const log: ReceiptLogEntry[] = []
    const { handle } = await started(world, { log })
    const retryId = new Uint8Array(16).fill(7)
    const first = await handle.infer(queryOf(1), { retryId })
    const again = await handle.infer(queryOf(1), { retryId })
    expect(again.outputs).toEqual(first.outputs)
    expect(await handle.usage()).toMatchObject({ unitsSpent: 1 })
    expect(log.length).toBe(1)
    await expect(handle.infer(queryOf(2), { retryId })).rejects.toThrow(code('ENCLAVE_RETRY_MISMATCH'))
    await handle.close()
  })

  test('goes on after a clean end where it was, and forfeits one block after a crash', async () => {
    const world = await createWorld()
    const machine = freshMachine()
    const log: ReceiptLogEntry[] = []
    const first = await started(world, { machine, log })
    await first.handle.infer(queryOf(1))
    await first.handle.close()

    const second = await startInMemory(await world.open(), { machine, log })
    expect((await second.resume()).usage).toMatchObject({ unitsSpent: 1, unitsLeft: 99, uncleanCount: 0 })
    await second.infer(queryOf(2))
    second.disconnect()

    const third = await startInMemory(await world.open(), { machine, log })
    expect((await third.resume()).usage).toMatchObject({ unitsSpent: 9, unitsLeft: 91, uncleanCount: 1 })
    // Strict mode: each answer waits until the record that remembers it is committed.
    for (let i = 0; i < 3; i++) {
      const answer = await third.infer(queryOf(i))
      expect(answer.verdict).toBe('pass')
    }
    const statement = await third.close()
    const license = await verifyLicense(first.active.license, [world.authority.publicKey])
    const chain = await verifyReceiptChain(log, { license })
    expect(chain).toMatchObject({ units: 12, openReceiptCount: 0 })
    expect(statement).not.toBeNull()
  })

  test('takes a response by file in a later process, once', async () => {
    const world = await createWorld()
    const machine = freshMachine()
    const challenge = await challengeFor(world)
    const first = await startInMemory(await world.open(), { machine })
    const response = await respond(world, challenge, await first.beginActivation(challenge.token, 'file'))
    const pending = machine.records.get('pending') as Uint8Array
    first.disconnect()

    const second = await startInMemory(await world.open(), { machine })
    await second.finishActivation(response)
    expect(machine.records.has('pending')).toBe(false)
    await second.infer(queryOf(1))
    await second.close()

    // The host puts the pending record back to get the grant a second time.
    machine.records.set('pending', pending)
    const third = await startInMemory(await world.open(), { machine })
    await expect(third.finishActivation(response)).rejects.toThrow(code('ENCLAVE_RECORD_INVALID'))
    expect((await third.resume()).usage.unitsSpent).toBe(1)
    await third.close()
  })

  test('wipes and refuses everything after its close', async () => {
    const world = await createWorld()
    const { handle } = await started(world)
    expect(await handle.close()).toBeNull()
    await expect(handle.usage()).rejects.toThrow(code('BRIDGE_CLOSED'))
  })

  test('is asked in order, or says what is missing', async () => {
    const world = await createWorld()
    const handle = await startInMemory(await world.open())
    await expect(handle.infer(queryOf(1))).rejects.toThrow(code('ENCLAVE_STATE_INVALID'))
    await expect(handle.resume()).rejects.toThrow(code('ENCLAVE_RECORD_INVALID'))
    await expect(handle.finishActivation('a.b.c')).rejects.toThrow(code('ENCLAVE_STATE_INVALID'))
    await expect(handle.load(new Uint8Array(200))).rejects.toThrow(code('ENCLAVE_STATE_INVALID'))
    await activate(world, handle)
    await expect(handle.beginActivation('a.b.c')).rejects.toThrow(code('ENCLAVE_STATE_INVALID'))
    await handle.close()
  })
})
