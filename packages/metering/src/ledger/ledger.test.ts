// SPDX-License-Identifier: Apache-2.0
import { generateSigningKeyPair } from '@mlcapsule/crypto'
import { payloadOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { faultyHost } from '../../test/faulty-host.ts'
import { anchorStart, createWorld, query, type World } from '../../test/world.ts'
import { memoryRecordStore, volatileAnchor } from '../index.ts'
import { Ledger } from './ledger.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})

const code = (code: string) => expect.objectContaining({ code })
const thrown = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

describe('a ledger', () => {
  test('counts queries until the last unit, then refuses and charges nothing', async () => {
    const small = await createWorld({ grant: { seq: 1, units: 20 } })
    const ledger = await Ledger.create(small.deps(), anchorStart)
    for (let i = 0; i < 20; i++) {
      expect(ledger.usage).toMatchObject({ unitsLeft: 20 - i, unitsSpent: i })
      await query(ledger)
    }
    expect(ledger.needsAdvance(1)).toBe(false)
    expect(() => ledger.reserve(1)).toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
    await expect(ledger.advance(1)).rejects.toThrow(code('LICENSE_QUOTA_EXHAUSTED'))
    expect(ledger.usage).toMatchObject({ unitsLeft: 0, unitsSpent: 20, queryCount: 20, block: 3 })
  })

  test('touches the anchor once per block, and nothing within one', async () => {
    const host = faultyHost()
    const parts = host.connect()
    const ledger = await Ledger.create(world.deps(parts), anchorStart)
    await query(ledger)
    const { length } = host.records
    const operations = parts.operationCount()
    for (let i = 1; i < 8; i++) await query(ledger)
    expect([host.records.length, parts.operationCount()]).toEqual([length, operations])
    await query(ledger)
    expect([host.records.length, parts.operationCount()]).toEqual([length + 1, operations + 4])
  })

  test('goes on after a clean end, and gives back what the block still held', async () => {
    const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
    const first = await Ledger.create(world.deps(parts), anchorStart)
    await query(first, 3)
    await first.close()
    await first.close()
    expect(() => first.reserve(1)).toThrow(code('LEDGER_CLOSED'))
    const second = await Ledger.open(world.deps(parts))
    expect(second.usage).toMatchObject({
      unitsLeft: 97,
      unitsSpent: 3,
      uncleanCount: 0,
      strictUnits: 0,
      block: 1,
    })
    await query(second)
    expect(second.usage).toMatchObject({ unitsLeft: 96, unitsSpent: 4, block: 2 })
  })

  test('forfeits an open block whole, and is strict for four blocks', async () => {
    const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
    await query(await Ledger.create(world.deps(parts), anchorStart), 2)
    const ledger = await Ledger.open(world.deps(parts))
    expect(ledger.usage).toMatchObject({ unitsLeft: 92, unitsSpent: 8, uncleanCount: 1, strictUnits: 32 })
    for (let i = 0; i < 32; i++) {
      const reserved = await (async () => {
        if (ledger.needsAdvance(1)) await ledger.advance(1)
        return ledger.reserve(1)
      })()
      expect(reserved.strict).toBe(true)
      expect(ledger.settle(reserved, { verdict: 'pass' }).mustCommit).toBe(true)
      expect(() => ledger.reserve(1)).toThrow(code('LEDGER_BUSY'))
      await ledger.commit()
    }
    expect(ledger.usage).toMatchObject({ unitsLeft: 60, strictUnits: 0 })
    expect(ledger.reserve(1).strict).toBe(false)
  })

  test('keeps the memory of defenses, and its levels reach the statement', async () => {
    const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
    const first = await Ledger.create(world.deps(parts), anchorStart)
    expect(first.defenseState('rounding')).toBeUndefined()
    expect(first.defenseState('constructor')).toBeUndefined()
    const state = Uint8Array.of(1, 2, 3)
    await query(first, 1, { verdict: 'block', levels: [2], defenses: { rounding: state } })
    state[0] = 9
    await query(first, 1, { verdict: 'pass', levels: [1] })
    await first.close()
    const second = await Ledger.open(world.deps(parts))
    expect(second.defenseState('rounding')).toEqual(Uint8Array.of(1, 2, 3))
    const payload = payloadOf((await second.lastStatement()) ?? '')
    expect(payload).toMatchObject({
      seq: 1,
      to: 1,
      units: 2,
      levels: [2],
      blocked: 1,
      lostBlocks: 0,
      unclean: 0,
    })
  })

  test('charges surcharges up to the most that was reserved', async () => {
    const dear = await createWorld({ tariff: { unit: 2, blocked: 2, surchargeMax: 1 } })
    const ledger = await Ledger.create(dear.deps(), anchorStart)
    await ledger.advance(2)
    const reservation = ledger.reserve(2)
    expect(reservation.units).toBe(6)
    expect(() => ledger.settle(reservation, { verdict: 'pass', surchargeUnits: 3 })).toThrow(
      code('LEDGER_RESERVATION_INVALID'),
    )
    expect(ledger.settle(reservation, { verdict: 'perturb', surchargeUnits: 1 }).receipt).toMatchObject({
      units: 5,
      block: 1,
      index: 0,
      verdict: 'perturb',
    })
    expect(ledger.usage.unitsLeft).toBe(95)
  })

  test('refuses a query that is larger than a block, one too many of the lease, and nonsense', async () => {
    const ledger = await Ledger.create(world.deps(), anchorStart)
    expect(() => ledger.reserve(9)).toThrow(code('LEDGER_QUERY_TOO_LARGE'))
    expect(() => ledger.reserve(1)).toThrow(code('LEDGER_ADVANCE_REQUIRED'))
    for (const itemCount of [0, -1, 1.5, Number.NaN, 2 ** 60]) {
      expect(() => ledger.reserve(itemCount)).toThrow(code('LEDGER_RESERVATION_INVALID'))
    }
    const leased = await createWorld({ lease: { queries: 2, poweredHours: 1 } })
    const other = await Ledger.create(leased.deps(), anchorStart)
    await query(other)
    await query(other)
    expect(() => other.reserve(1)).toThrow(code('LICENSE_LEASE_EXHAUSTED'))
  })

  test('takes one query at a time, and settles it once', async () => {
    const ledger = await Ledger.create(world.deps(), anchorStart)
    await ledger.advance(1)
    const reservation = ledger.reserve(1)
    expect(() => ledger.reserve(1)).toThrow(code('LEDGER_BUSY'))
    await expect(ledger.advance(1)).rejects.toThrow(code('LEDGER_BUSY'))
    await expect(ledger.close()).rejects.toThrow(code('LEDGER_BUSY'))
    ledger.settle(reservation, { verdict: 'pass' })
    for (const act of [
      () => ledger.settle(reservation, { verdict: 'pass' }),
      () => ledger.cancel(reservation),
    ]) {
      expect(act).toThrow(code('LEDGER_RESERVATION_INVALID'))
    }
    const second = ledger.reserve(1)
    ledger.cancel(second)
    expect(ledger.usage.unitsSpent).toBe(1)
    const moving = ledger.advance(1)
    expect(() => ledger.reserve(1)).toThrow(code('LEDGER_BUSY'))
    await moving
  })

  test('refuses outcomes of a wrong form, and keeps the reservation', async () => {
    const ledger = await Ledger.create(world.deps(), anchorStart)
    await ledger.advance(1)
    const reservation = ledger.reserve(1)
    const bad = [
      { verdict: 'free' as 'pass' },
      { verdict: 'pass' as const, levels: [4] },
      { verdict: 'pass' as const, levels: [0, 0] },
      { verdict: 'pass' as const, surchargeUnits: -1 },
      { verdict: 'pass' as const, defenses: { unknown: new Uint8Array(1) } },
    ]
    for (const outcome of bad) {
      expect(() => ledger.settle(reservation, outcome)).toThrow(code('LEDGER_RESERVATION_INVALID'))
    }
    const large = { verdict: 'pass' as const, defenses: { rounding: new Uint8Array(1_048_577) } }
    expect(() => ledger.settle(reservation, large)).toThrow(code('LEDGER_STATE_TOO_LARGE'))
    expect(ledger.settle(reservation, { verdict: 'pass' }).receipt.index).toBe(0)
  })

  test('is bound to its license, identity and anchor, and wipes the key of a failed start', async () => {
    const other = await createWorld({ jti: 'license-2' })
    const store = memoryRecordStore()
    const anchor = volatileAnchor(seeded('anchor'))
    await Ledger.create(world.deps({ store, anchor }), anchorStart)
    const cases = [
      other.deps({ store, anchor }),
      world.deps({ store, anchor: volatileAnchor(seeded('other anchor')) }),
      { ...world.deps({ store, anchor }), identity: generateSigningKeyPair(seeded('other')) },
    ]
    for (const deps of cases) {
      await expect(Ledger.open(deps)).rejects.toThrow(code('LICENSE_BINDING_MISMATCH'))
      expect(deps.key.wiped).toBe(true)
    }
  })

  test('makes a statement when it is due', async () => {
    const busy = await createWorld({ grant: { seq: 1, units: 3000 }, blockMax: 600 })
    const ledger = await Ledger.create(busy.deps(), anchorStart)
    for (let i = 0; i < 999; i++) await query(ledger)
    await expect(ledger.statement()).rejects.toThrow(code('LEDGER_STATEMENT_NOT_DUE'))
    await query(ledger)
    expect(ledger.statementDue).toBe(true)
    const token = await ledger.statement()
    expect(await ledger.lastStatement()).toBe(token)
    expect(ledger.statementDue).toBe(false)
    expect(ledger.usage).toMatchObject({ unitsLeft: 2000, unitsSpent: 1000 })
  })
})

describe('a host that lies', () => {
  const start = async () => {
    const host = faultyHost()
    const ledger = await Ledger.create(world.deps(host.connect()), anchorStart)
    for (let i = 0; i < 20; i++) await query(ledger)
    return { host, ledger, reopen: () => Ledger.open(world.deps(host.connect())) }
  }

  test('by putting an older record back is found out', async () => {
    const { host, reopen } = await start()
    for (let i = 0; i < host.records.length - 1; i++) {
      host.putBack(i)
      await expect(reopen()).rejects.toThrow(code('LEDGER_ROLLED_BACK'))
    }
    host.putBack(host.records.length - 1)
    expect((await reopen()).usage.unitsSpent).toBe(24)
  })

  test('by starting two enclaves is found out', async () => {
    const { ledger, reopen } = await start()
    const second = await reopen()
    await query(second)
    for (let i = 20; i < 24; i++) await query(ledger)
    await expect(query(ledger)).rejects.toThrow(code('LEDGER_FORKED'))
    expect(thrown(() => ledger.reserve(1))).toEqual(code('LEDGER_STOPPED'))
    expect(second.usage.unitsSpent).toBe(25)
    for (let i = 0; i < 20; i++) await query(second)
  })

  test('by letting two enclaves move the anchor at once serves at most one of them', async () => {
    const { ledger, reopen } = await start()
    await ledger.close()
    const both = [await reopen(), await reopen()]
    const outcomes = await Promise.allSettled(both.map((it) => it.advance(1)))
    const refused = outcomes.filter((it) => it.status === 'rejected')
    expect(refused.length).toBeGreaterThanOrEqual(1)
    for (const { reason } of refused) expect(reason).toEqual(code('LEDGER_FORKED'))
  })

  test('by holding a process up before it creates the ledger gets no second grant', async () => {
    const host = faultyHost()
    const anchorValue = await host.connect().anchor.read()
    // Both processes have found that there is no ledger yet; the first lives a whole life before the second goes on.
    const first = await Ledger.create(world.deps(host.connect()), anchorValue)
    for (let i = 0; i < 20; i++) await query(first)
    await first.close()
    const record = host.current
    const late = world.deps(host.connect())
    await expect(Ledger.create(late, anchorValue)).rejects.toThrow(code('LEDGER_FORKED'))
    expect(late.key.wiped).toBe(true)
    expect(host.current).toEqual(record)
  })

  test('by letting two enclaves create the ledger at once serves at most one of them', async () => {
    const host = faultyHost()
    const create = () => Ledger.create(world.deps(host.connect()), anchorStart)
    const outcomes = await Promise.allSettled([create(), create()])
    const refused = outcomes.filter((it) => it.status === 'rejected')
    expect(refused.length).toBeGreaterThanOrEqual(1)
    for (const { reason } of refused) expect(reason).toEqual(code('LEDGER_FORKED'))
  })

  test('by losing or changing the record is found out', async () => {
    const { host, reopen } = await start()
    const good = host.current as Uint8Array
    for (let at = 0; at < good.length; at += 7) {
      const changed = good.slice()
      changed[at] = (changed[at] ?? 0) ^ 0x80
      host.replace(changed)
      await expect(reopen()).rejects.toThrow(code('LEDGER_RECORD_INVALID'))
    }
    for (const sizeBytes of [0, 79, good.length - 1]) {
      host.replace(good.slice(0, sizeBytes))
      await expect(reopen()).rejects.toThrow(code('LEDGER_RECORD_INVALID'))
    }
    host.erase()
    await expect(reopen()).rejects.toThrow(code('LEDGER_RECORD_MISSING'))
  })

  test('a process that was left behind does not overwrite the record of its successor', async () => {
    const { host, ledger, reopen } = await start()
    const second = await reopen()
    await second.advance(1)
    const record = host.current
    for (let i = 20; i < 24; i++) await query(ledger)
    await expect(ledger.close()).rejects.toThrow(code('LEDGER_FORKED'))
    expect(host.current).toEqual(record)
  })

  test('another key does not open the record', async () => {
    const { host } = await start()
    const deps = world.deps(host.connect())
    const { deriveLedgerKey } = await import('./keys.ts')
    const key = deriveLedgerKey({ ledgerId: world.ledgerId, platformKey: null, stateKey: null })
    await expect(Ledger.open({ ...deps, key })).rejects.toThrow(code('LEDGER_RECORD_INVALID'))
  })
})
