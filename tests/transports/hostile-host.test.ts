// SPDX-License-Identifier: Apache-2.0
// A host that lies: each lie has its code, and none of them costs a query or gives one away.
import type { Anchor, KernelBackend, Tensor } from '@mlcapsule/contracts'
import { generateSigningKeyPair, randomBytes, Secret } from '@mlcapsule/crypto'
import type { EnclaveHandle } from '@mlcapsule/enclave-bridge'
import { capsulePages, type HostServices } from '@mlcapsule/enclave-bridge/host'
import { wasmKernels } from '@mlcapsule/enclave-runtime'
import { volatileAnchor } from '@mlcapsule/metering'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { freshMachine, type StartInMemoryOptions, startInMemory } from './machine.ts'
import {
  challengeFor,
  createWorld,
  denseModel,
  type ProviderOptions,
  queryOf,
  respond,
  type World,
} from './world.ts'

let world: World
beforeAll(async () => {
  world = await createWorld({ defenses: [{ name: 'rounding', version: 1, config: { decimals: 3 } }] })
})

const code = (expected: string) => expect.objectContaining({ code: expected })

async function start(options: StartInMemoryOptions = {}, of: World = world): Promise<EnclaveHandle> {
  return await startInMemory(await of.open(), options)
}

async function activate(handle: EnclaveHandle, options: ProviderOptions = {}) {
  const challenge = await challengeFor(world)
  const response = await respond(world, challenge, await handle.beginActivation(challenge.token), options)
  return { response, active: await handle.finishActivation(response) }
}

/** Pages as the file has them, then changed. */
async function tampered(change: (pages: Uint8Array[], blob: string, first: number) => Uint8Array[]) {
  const read = capsulePages(await world.open())
  const readPages: HostServices['readPages'] = async (blob, first, count) =>
    change(
      (await read(blob, first, count)).map((it) => it.slice()),
      blob,
      first,
    )
  return readPages
}

describe('pages', () => {
  const lies: Record<string, readonly [string, Parameters<typeof tampered>[0]]> = {
    'changed in one bit': [
      'SEAL_OPEN_FAILED',
      (pages) => {
        const page = pages[0] as Uint8Array
        page[100] = (page[100] as number) ^ 1
        return pages
      },
    ],
    swapped: ['SEAL_OPEN_FAILED', (pages) => pages.reverse()],
    'of the other blob': [
      'SEAL_OPEN_FAILED',
      (pages, blob) => (blob === 'weights' ? pages.map(() => new Uint8Array(4096 + 16)) : pages),
    ],
    truncated: ['ENCLAVE_PAGE_INVALID', (pages) => pages.map((it) => it.subarray(0, it.length - 1))],
    'too few': ['ENCLAVE_PAGE_INVALID', (pages) => pages.slice(0, -1)],
    'too many': ['BRIDGE_CALL_FAILED', (pages) => [...pages, ...pages]],
    'too large': ['ENCLAVE_PAGE_INVALID', (pages) => pages.map(() => new Uint8Array(100_000))],
  }
  test.each(Object.entries(lies))(
    '%s are refused, and nothing is activated',
    async (_, [expected, change]) => {
      const machine = freshMachine()
      const handle = await start({ machine, services: { readPages: await tampered(change) } })
      const refused = await activate(handle).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: expected })
      expect([...machine.records.keys()]).toEqual([])
      handle.disconnect()
    },
  )

  test('of another packing of the same model are refused', async () => {
    const other = capsulePages(await (await createWorld({ defenses: world.defenses })).open())
    const handle = await start({ services: { readPages: other } })
    await expect(activate(handle)).rejects.toThrow(code('SEAL_OPEN_FAILED'))
    handle.disconnect()
  })

  test('that fail once can be delivered again: the same response is still good', async () => {
    const read = capsulePages(await world.open())
    let failing = true
    const readPages: HostServices['readPages'] = (blob, first, count) =>
      failing ? Promise.reject(new Error('unplugged')) : read(blob, first, count)
    const handle = await start({ services: { readPages } })
    const challenge = await challengeFor(world)
    const response = await respond(world, challenge, await handle.beginActivation(challenge.token))
    await expect(handle.finishActivation(response)).rejects.toThrow(code('BRIDGE_CALL_FAILED'))
    failing = false
    await handle.finishActivation(response)
    expect((await handle.infer(queryOf(1))).unitsLeft).toBe(99)
    await handle.close()
  })
})

describe('the memory of the model', () => {
  /** Kernels that count how many of them hold memory. */
  function countedKernels() {
    const count = { made: 0, alive: 0 }
    const kernels: KernelBackend = {
      ...wasmKernels,
      async create(options) {
        const made = await wasmKernels.create(options)
        const dispose = made.dispose.bind(made)
        count.made++
        count.alive++
        made.dispose = () => {
          count.alive -= made.memory.length > 0 ? 1 : 0
          dispose()
        }
        return made
      },
    }
    return { count, kernels }
  }

  test('is wiped when the host does not keep the license, and the same response is still good', async () => {
    const { count, kernels } = countedKernels()
    let failing = true
    const machine = freshMachine()
    const writeRecord: HostServices['writeRecord'] = async (slot, record) => {
      if (failing) throw new Error('the disk is full')
      machine.records.set(slot, record ?? new Uint8Array(0))
    }
    const handle = await start({ machine, kernels, services: { writeRecord } })
    const challenge = await challengeFor(world)
    const response = await respond(world, challenge, await handle.beginActivation(challenge.token))
    await expect(handle.finishActivation(response)).rejects.toThrow(code('BRIDGE_CALL_FAILED'))
    expect(count).toEqual({ made: 1, alive: 0 })
    failing = false
    await handle.finishActivation(response)
    expect(count).toEqual({ made: 2, alive: 1 })
    await handle.close()
    expect(count.alive).toBe(0)
  })

  test('is wiped when the ledger does not start, and when the host leaves while weights are read', async () => {
    const { count, kernels } = countedKernels()
    const anchor = { ...volatileAnchor(), extend: () => Promise.reject(new Error('no')) }
    const first = await start({ anchor, kernels })
    await expect(activate(first)).rejects.toThrow(code('LEDGER_ANCHOR_FAILED'))
    expect(count).toEqual({ made: 1, alive: 0 })

    const read = capsulePages(await world.open())
    const asked = Promise.withResolvers<void>()
    const readPages: HostServices['readPages'] = (blob, first, pageCount) => {
      if (blob === 'program') return read(blob, first, pageCount)
      asked.resolve()
      return new Promise(() => undefined)
    }
    const second = await start({ kernels, services: { readPages } })
    const left = activate(second).catch((error: unknown) => error)
    await asked.promise
    expect(count).toEqual({ made: 2, alive: 1 })
    second.disconnect()
    expect(await left).toMatchObject({ code: 'BRIDGE_CLOSED' })
    await vi.waitFor(() => expect(count.alive).toBe(0))
  })
})

test('what the host is told of the model’s memory are whole MiB, and pages that it has delivered', async () => {
  const events: (readonly number[])[] = []
  const delivered: number[] = []
  const read = capsulePages(await world.open())
  const readPages: HostServices['readPages'] = (blob, first, pageCount) => {
    if (blob === 'weights') delivered.push(first + pageCount)
    return read(blob, first, pageCount)
  }
  const handle = await start({
    services: { readPages },
    onEvent: (event, numbers) => {
      if (event === 'weights-progress') events.push(numbers)
    },
  })
  const { active } = await activate(handle)
  expect(active.memorySizeBytes).toBe(6 * 1_048_576)
  const pageSizeBytes = 4096
  expect(events.at(-1)).toEqual([2 * pageSizeBytes, 2 * pageSizeBytes])
  expect(delivered.length).toBeGreaterThan(0)
  for (const [done, total] of events as [number, number][]) {
    expect([done % pageSizeBytes, total % pageSizeBytes]).toEqual([0, 0])
    expect(total).toBeLessThanOrEqual(Math.max(...delivered) * pageSizeBytes)
  }
  await handle.close()
})

describe('a header', () => {
  test('that was changed, cut or extended is not loaded', async () => {
    const capsule = await world.open()
    const changed = (change: (prefix: Uint8Array) => Uint8Array) => ({
      ...capsule,
      prefix: change(capsule.prefix.slice()),
    })
    const flip = (at: number) => (prefix: Uint8Array) => {
      prefix[at] = (prefix[at] as number) ^ 1
      return prefix
    }
    await expect(startInMemory(changed(flip(capsule.prefix.length - 1)))).rejects.toThrow(
      code('CAPSULE_SIGNATURE_INVALID'),
    )
    await expect(startInMemory(changed(flip(0)))).rejects.toThrow(code('CAPSULE_BAD_MAGIC'))
    await expect(startInMemory(changed((it) => it.subarray(0, it.length - 1)))).rejects.toThrow(
      code('CAPSULE_TRUNCATED'),
    )
    await expect(startInMemory(changed((it) => Uint8Array.from([...it, 0])))).rejects.toThrow(
      code('CAPSULE_TRAILING_BYTES'),
    )
  })
})

describe('a challenge', () => {
  test('of a stranger, for another capsule, or that has ended, is not answered', async () => {
    const handle = await start()
    const stranger = { ...world, authority: generateSigningKeyPair() }
    await expect(handle.beginActivation((await challengeFor(stranger)).token)).rejects.toThrow(
      code('CHALLENGE_SIGNER_UNKNOWN'),
    )
    const other = await challengeFor(world, { capsuleId: randomBytes(32) })
    await expect(handle.beginActivation(other.token)).rejects.toThrow(code('CHALLENGE_CAPSULE_MISMATCH'))
    const late = await start({ now: () => Date.now() + 3_600_000 })
    await expect(late.beginActivation((await challengeFor(world)).token)).rejects.toThrow(
      code('CHALLENGE_EXPIRED'),
    )
    handle.disconnect()
    late.disconnect()
  })
})

describe('a response', () => {
  test('for another enclave does not open', async () => {
    const [first, second] = [await start(), await start()]
    const challenge = await challengeFor(world)
    const response = await respond(world, challenge, await first.beginActivation(challenge.token))
    await second.beginActivation(challenge.token)
    await expect(second.finishActivation(response)).rejects.toThrow(code('LICENSE_BINDING_MISMATCH'))
    const other = await challengeFor(world)
    await second.beginActivation(other.token)
    await expect(second.finishActivation(response)).rejects.toThrow(code('ACTIVATION_BINDING_MISMATCH'))
    first.disconnect()
    second.disconnect()
  })

  test('of a stranger is refused, and so is one whose key is not the capsule’s', async () => {
    const handle = await start()
    await expect(activate(handle, { signer: generateSigningKeyPair() })).rejects.toThrow(
      code('ACTIVATION_SIGNER_UNKNOWN'),
    )
    const contentKey = Secret.fromBytes('content-key', randomBytes(32))
    await expect(activate(handle, { contentKey })).rejects.toThrow(code('CAPSULE_KEY_MISMATCH'))
    handle.disconnect()
  })

  test('is good once: given again after a restart, it opens nothing', async () => {
    const machine = freshMachine()
    const first = await start({ machine })
    const { response } = await activate(first)
    await first.infer(queryOf(1))
    await first.close()
    const second = await start({ machine })
    await expect(second.finishActivation(response)).rejects.toThrow(code('ENCLAVE_STATE_INVALID'))
    expect((await second.resume()).usage.unitsLeft).toBe(99)
    await second.close()
  })

  test.each<[string, ProviderOptions['claims'], string]>([
    ['for another model', { model: 'another' }, 'LICENSE_BINDING_MISMATCH'],
    ['for other versions', { versions: { min: 2, max: 3 } }, 'LICENSE_BINDING_MISMATCH'],
    ['for another build', { manifest: '22'.repeat(48) }, 'LICENSE_BINDING_MISMATCH'],
    ['for another anchor', { anchor: 'AAAA' }, 'LICENSE_BINDING_MISMATCH'],
    ['that has ended', { iat: 1000, nbf: 1000, exp: 2000 }, 'LICENSE_EXPIRED'],
    ['without the capsule’s defenses', { defenses: [] }, 'ENCLAVE_CAPSULE_UNSUITABLE'],
  ])('with a license %s is refused', async (_, claims, expected) => {
    const machine = freshMachine()
    const handle = await start({ machine })
    await expect(activate(handle, { ...(claims && { claims }) })).rejects.toThrow(code(expected))
    expect([...machine.records.keys()]).toEqual([])
    handle.disconnect()
  })
})

describe('defenses', () => {
  test.each<[string, { name: string; version: number; config: unknown }, string]>([
    ['unknown ones', { name: 'made-up', version: 1, config: {} }, 'ENCLAVE_DEFENSE_UNKNOWN'],
    [
      'unknown versions',
      { name: 'rounding', version: 9, config: { decimals: 1 } },
      'ENCLAVE_DEFENSE_UNKNOWN',
    ],
    ['wrong settings', { name: 'rounding', version: 1, config: { decimals: 99 } }, 'DEFENSE_CONFIG_INVALID'],
  ])('%s keep the model closed', async (_, defense, expected) => {
    const other = await createWorld({ defenses: [defense] })
    const handle = await startInMemory(await other.open())
    const challenge = await challengeFor(other)
    const response = await respond(other, challenge, await handle.beginActivation(challenge.token))
    await expect(handle.finishActivation(response)).rejects.toThrow(code(expected))
    handle.disconnect()
  })
})

describe('sealed records', () => {
  async function served(count: number, kept = freshMachine()) {
    const handle = await start({ machine: kept })
    await activate(handle, { units: 40, blockMax: 4 })
    const snapshots: Uint8Array[] = []
    for (let i = 0; i < count; i++) {
      await handle.infer(queryOf(i))
      snapshots.push(kept.records.get('ledger') as Uint8Array)
    }
    handle.disconnect()
    return { machine: kept, snapshots }
  }

  test('rolled back to an earlier one are found out', async () => {
    const { machine, snapshots } = await served(9)
    machine.records.set('ledger', snapshots[0] as Uint8Array)
    const handle = await start({ machine })
    await expect(handle.resume()).rejects.toThrow(code('LEDGER_ROLLED_BACK'))
    await expect(handle.infer(queryOf(1))).rejects.toThrow(code('ENCLAVE_STOPPED'))
    await expect(handle.hello()).rejects.toThrow(code('ENCLAVE_STOPPED'))
    handle.disconnect()
  })

  test('removed, changed, or of another enclave, are found out', async () => {
    const { machine } = await served(1)
    const ledger = machine.records.get('ledger') as Uint8Array
    const license = machine.records.get('license') as Uint8Array
    const resumed = async (change: () => void) => {
      machine.records.set('ledger', ledger.slice())
      machine.records.set('license', license.slice())
      change()
      const handle = await start({ machine })
      const error = await handle.resume().catch((it: unknown) => it)
      handle.disconnect()
      return (error as { code?: string }).code
    }
    const flip = (slot: string, at: number) => {
      const record = machine.records.get(slot) as Uint8Array
      record[at] = (record[at] as number) ^ 1
    }
    expect(await resumed(() => machine.records.delete('ledger'))).toBe('LEDGER_RECORD_MISSING')
    expect(await resumed(() => flip('ledger', 90))).toBe('LEDGER_RECORD_INVALID')
    expect(await resumed(() => machine.records.delete('license'))).toBe('ENCLAVE_RECORD_INVALID')
    expect(await resumed(() => flip('license', 40))).toBe('ENCLAVE_RECORD_INVALID')
    expect(await resumed(() => machine.records.set('license', randomBytes(50)))).toBe(
      'ENCLAVE_RECORD_INVALID',
    )
    const foreign = (await served(1)).machine
    expect(
      await resumed(() => machine.records.set('license', foreign.records.get('license') as Uint8Array)),
    ).toBe('ENCLAVE_RECORD_INVALID')
    expect(await resumed(() => undefined)).toBeUndefined()
  })

  test('used by two enclaves at once stop the one that was left behind', async () => {
    const { machine } = await served(1)
    const [first, second] = [await start({ machine }), await start({ machine })]
    await first.resume()
    await second.resume()
    await first.infer(queryOf(1))
    await expect(second.infer(queryOf(1))).rejects.toThrow(code('LEDGER_FORKED'))
    await expect(second.infer(queryOf(1))).rejects.toThrow(code('ENCLAVE_STOPPED'))
    await first.infer(queryOf(2))
    first.disconnect()
    second.disconnect()
  })

  test('lost between the license and the ledger are made anew, with the whole grant and once', async () => {
    const machine = freshMachine()
    let broken = true
    const anchor: Anchor = {
      ...machine.anchor,
      extend: (digest) => (broken ? Promise.reject(new Error('power cut')) : machine.anchor.extend(digest)),
    }
    const first = await start({ machine, anchor })
    await expect(activate(first, { units: 10 })).rejects.toThrow(code('LEDGER_ANCHOR_FAILED'))
    first.disconnect()
    broken = false
    const second = await start({ machine, anchor })
    expect((await second.resume()).usage).toMatchObject({ unitsLeft: 10, unitsSpent: 0 })
    await second.infer(queryOf(1))
    second.disconnect()
    const third = await start({ machine, anchor })
    expect((await third.resume()).usage.unitsSpent).toBe(8)
    third.disconnect()
  })

  test('behind an anchor that was put back are found out by nobody: the anchor is what counts', async () => {
    // Why the simulated platform is worth nothing against its owner: its anchor is a file.
    const machine = freshMachine()
    const value = { current: volatileAnchor(new Uint8Array(32)) }
    const anchor: Anchor = {
      ...machine.anchor,
      read: () => value.current.read(),
      extend: (digest) => value.current.extend(digest),
    }
    const first = await start({ machine, anchor })
    await activate(first, { units: 10 })
    await first.infer(queryOf(1))
    first.disconnect()
    value.current = volatileAnchor(new Uint8Array(32))
    const second = await start({ machine, anchor })
    expect((await second.resume()).usage.unitsLeft).toBe(10)
    second.disconnect()
  })
})

describe('queries', () => {
  test.each<[string, Map<string, Tensor>, string, string]>([
    ['none at all', new Map(), 'ENCLAVE_INPUT_INVALID', 'inputs'],
    [
      'another name',
      new Map([['z', { dtype: 'float32', shape: [1, 64], data: new Float32Array(64) }]]),
      'ENCLAVE_INPUT_INVALID',
      'inputs[0].name',
    ],
    [
      'another dtype',
      new Map([['x', { dtype: 'int32', shape: [1, 64], data: new Int32Array(64) }]]),
      'ENCLAVE_INPUT_INVALID',
      'inputs[0].dtype',
    ],
    [
      'another rank',
      new Map([['x', { dtype: 'float32', shape: [64], data: new Float32Array(64) }]]),
      'ENCLAVE_INPUT_INVALID',
      'inputs[0].shape',
    ],
    [
      'another size',
      new Map([['x', { dtype: 'float32', shape: [1, 65], data: new Float32Array(65) }]]),
      'ENCLAVE_INPUT_INVALID',
      'inputs[0].shape',
    ],
    [
      'no items',
      new Map([['x', { dtype: 'float32', shape: [0, 64], data: new Float32Array(0) }]]),
      'ENCLAVE_INPUT_INVALID',
      'inputs[0].shape',
    ],
    [
      'NaN',
      new Map([['x', { dtype: 'float32', shape: [1, 64], data: new Float32Array(64).fill(Number.NaN) }]]),
      'ENCLAVE_INPUT_NOT_FINITE',
      'inputs[0]',
    ],
    [
      'more items than a block holds',
      new Map([['x', { dtype: 'float32', shape: [50_000, 64], data: new Float32Array(3_200_000) }]]),
      'LEDGER_QUERY_TOO_LARGE',
      '',
    ],
  ])('with %s are refused by code and field, and cost nothing', async (_, inputs, expected, field) => {
    const handle = await start()
    await activate(handle, { units: 100_000 })
    const error = await handle.infer(inputs).catch((it: unknown) => it)
    expect(error).toMatchObject({ code: expected, ...(field === '' ? {} : { field }) })
    expect(await handle.usage()).toMatchObject({ unitsSpent: 0, queryCount: 0 })
    await handle.infer(queryOf(1))
    await handle.close()
  })

  test('whose answer could not cross the door are refused before they are charged', async () => {
    const wide = await createWorld({ model: denseModel(1, 70_000) })
    const handle = await startInMemory(await wide.open())
    const challenge = await challengeFor(wide)
    const offer = await handle.beginActivation(challenge.token)
    await handle.finishActivation(await respond(wide, challenge, offer, { units: 2_000, blockMax: 1_000 }))
    const data = new Float32Array(959)
    const inputs = new Map<string, Tensor>([['x', { dtype: 'float32', shape: [959, 1], data }]])
    const sizeBytes = 959 * 70_000 * 4
    expect(await handle.infer(inputs).catch((it: unknown) => it)).toMatchObject({
      code: 'BRIDGE_LIMIT_EXCEEDED',
      field: 'outputs',
      numbers: [268_435_456, sizeBytes],
    })
    expect(await handle.usage()).toMatchObject({ unitsSpent: 0, queryCount: 0, block: 0 })
    await handle.close()
  })

  test('whose answer is not finite are blocked and charged, as a defense would block them', async () => {
    const handle = await start()
    await activate(handle)
    // Large numbers that all pull one class the same way: its score overflows.
    const data = Float32Array.from({ length: 64 }, (_, k) => 3e38 * Math.sign(Math.sin(4 * k)))
    const answer = await handle.infer(new Map([['x', { dtype: 'float32', shape: [1, 64], data }]]))
    expect(answer).toMatchObject({ verdict: 'block', units: 1, unitsLeft: 99 })
    expect(answer.outputs.size).toBe(0)
    await handle.close()
  })

  test('after the license has ended are refused, by whatever clock the host shows', async () => {
    let offsetMs = 0
    const handle = await start({ now: () => Date.now() + offsetMs })
    await activate(handle)
    await handle.infer(queryOf(1))
    offsetMs = 2 * 86_400_000
    await expect(handle.infer(queryOf(2))).rejects.toThrow(code('LICENSE_EXPIRED'))
    offsetMs = -86_400_000
    await expect(handle.infer(queryOf(2))).rejects.toThrow(code('LICENSE_CLOCK_SET_BACK'))
    offsetMs = 0
    expect((await handle.infer(queryOf(2))).unitsLeft).toBe(98)
    await handle.close()
  })
})
