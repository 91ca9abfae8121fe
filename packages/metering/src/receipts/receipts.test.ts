// SPDX-License-Identifier: Apache-2.0
import { generateSigningKeyPair, toHex } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { anchorStart, createWorld, isCoded, query, type World } from '../../test/world.ts'
import { memoryRecordStore, volatileAnchor } from '../index.ts'
import { Ledger } from '../ledger/ledger.ts'
import { signClosing, verifyClosing } from './closing.ts'
import { encodeReceiptLine, parseReceiptLog, type ReceiptLogEntry } from './log.ts'
import { decodeReceipt, encodeReceipt, type Receipt } from './receipt.ts'
import { verifyReceiptChain } from './verify-chain.ts'

let world: World
let log: ReceiptLogEntry[]
let end: { block: number; head: Uint8Array }

/** Three blocks of eight, eight and four queries; the sixth query is blocked. */
beforeAll(async () => {
  world = await createWorld()
  log = []
  const ledger = await Ledger.create(world.deps(), anchorStart)
  for (let i = 0; i < 20; i++) {
    if (ledger.needsAdvance(1)) await ledger.advance(1)
    for (const closing of await ledger.takeClosings()) log.push({ closing })
    log.push({ receipt: await query(ledger, 1, { verdict: i === 5 ? 'block' : 'pass' }) })
  }
  await ledger.close()
  for (const closing of await ledger.takeClosings()) log.push({ closing })
  end = { block: 3, head: ledger.usage.head }
})

const code = (code: string) => expect.objectContaining({ code })
const verify = (entries: readonly ReceiptLogEntry[], to = end) =>
  verifyReceiptChain(entries, { license: world.license, to })

describe('receipt', () => {
  const receipt: Receipt = {
    license: new Uint8Array(32).fill(1),
    block: 2,
    index: 0,
    units: 3,
    verdict: 'degrade',
    policy: 'rounded',
    blind: new Uint8Array(32).fill(2),
  }

  test('is a map with the keys 1 to 7', () => {
    const hex = `a7015820${'01'.repeat(32)}0202030004030502066772${'6f756e646564'}075820${'02'.repeat(32)}`
    expect(toHex(encodeReceipt(receipt))).toBe(hex)
    expect(decodeReceipt(encodeReceipt(receipt))).toEqual(receipt)
  })

  test.each([
    ['block 0', { block: 0 }],
    ['a negative index', { index: -1 }],
    ['an empty policy', { policy: '' }],
    ['a long policy', { policy: 'x'.repeat(65) }],
    ['a policy that is long in bytes', { policy: 'ü'.repeat(33) }],
    ['a short blind', { blind: new Uint8Array(31) }],
    ['an unknown verdict', { verdict: 'other' as 'pass' }],
  ])('with %s is refused', (_reason, change) => {
    expect(() => decodeReceipt(encodeReceipt({ ...receipt, ...change }))).toThrow(code('RECEIPT_MALFORMED'))
  })

  test('garbage is refused, and what is read encodes to itself', () => {
    const bytes = encodeReceipt(receipt)
    const property = fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (at, value) => {
      const changed = bytes.slice()
      changed[at] = value
      try {
        expect(encodeReceipt(decodeReceipt(changed))).toEqual(changed)
      } catch (error) {
        if (!isCoded(error)) throw error
      }
    })
    fc.assert(property, { numRuns: process.env.SLOW === '1' ? 1_000_000 : 2000 })
  })
})

describe('verifyReceiptChain', () => {
  test('adds up what was charged', async () => {
    expect(await verify(log)).toEqual({
      ...end,
      queryCount: 20,
      units: 20,
      blockedCount: 1,
      lostBlockCount: 0,
      lostUnits: 0,
      lostReceiptCount: 0,
      openReceiptCount: 0,
    })
  })

  test('goes on from a place in the middle', async () => {
    const first = await verifyReceiptChain(log.slice(0, 9), { license: world.license })
    expect(first).toMatchObject({ block: 1, queryCount: 8 })
    const rest = await verifyReceiptChain(log.slice(9), { license: world.license, from: first, to: end })
    expect(rest).toMatchObject({ block: 3, queryCount: 12 })
  })

  test('counts what is not closed yet apart', async () => {
    const open = await verifyReceiptChain(log.slice(0, 12), { license: world.license })
    expect(open).toMatchObject({ block: 1, queryCount: 8, openReceiptCount: 3 })
  })

  test('finds every receipt that is missing, doubled or out of order', async () => {
    for (let i = 0; i < log.length; i++) {
      const entry = log[i] as ReceiptLogEntry
      await expect(verify(log.toSpliced(i, 1)), `without ${i}`).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
      if ('receipt' in entry) {
        await expect(verify(log.toSpliced(i, 0, entry))).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
      }
      if (i > 0) {
        const swapped = log.with(i, log[i - 1] as ReceiptLogEntry).with(i - 1, entry)
        await expect(verify(swapped), `swapped ${i}`).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
      }
    }
  })

  test('finds every change to a receipt', async () => {
    const first = log[2] as { receipt: Uint8Array }
    const receipt = decodeReceipt(first.receipt)
    for (const change of [
      { units: 0 },
      { units: 2 },
      { verdict: 'block' as const },
      { blind: seeded('b') },
    ]) {
      const changed = log.with(2, { receipt: encodeReceipt({ ...receipt, ...change }) })
      await expect(verify(changed)).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
    }
    for (const change of [{ license: seeded('l') }, { policy: 'exact' }]) {
      const changed = log.with(2, { receipt: encodeReceipt({ ...receipt, ...change }) })
      await expect(verify(changed)).rejects.toThrow(code('RECEIPT_LICENSE_MISMATCH'))
    }
  })

  test('takes closings of its own enclave alone', async () => {
    const closing = await verifyClosing((log[8] as { closing: string }).closing, world.license)
    const foreign = await signClosing(generateSigningKeyPair(seeded('foreign')), closing)
    await expect(verify(log.with(8, { closing: foreign }))).rejects.toThrow(code('TOKEN_SIGNER_UNKNOWN'))
    const signed = async (changes: object) => ({
      closing: await signClosing(world.identity, { ...closing, ...changes }),
    })
    await expect(verify(log.with(8, await signed({ license: closing.from })))).rejects.toThrow(
      code('RECEIPT_LICENSE_MISMATCH'),
    )
    for (const changes of [
      { units: 9 },
      { count: 9 },
      { block: 2 },
      { from: closing.to },
      { to: closing.from },
    ]) {
      await expect(verify(log.with(8, await signed(changes)))).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
    }
    for (const changes of [
      { block: 0 },
      { lost: true },
      { lost: true, count: 0 },
      { lost: true, to: closing.from },
    ]) {
      await expect(verify(log.with(8, await signed(changes)))).rejects.toThrow(code('RECEIPT_MALFORMED'))
    }
    // The same closing again is what a restart gives out; another one for the same block is a fork.
    expect((await verify(log.toSpliced(9, 0, log[8] as ReceiptLogEntry))).queryCount).toBe(20)
    await expect(verify(log.toSpliced(9, 0, await signed({ units: 7 })))).rejects.toThrow(
      code('RECEIPT_CHAIN_BROKEN'),
    )
  })

  test('leaves out the receipts of a lost block, which is paid whole', async () => {
    const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
    const entries: ReceiptLogEntry[] = []
    const crashed = await Ledger.create(world.deps(parts), anchorStart)
    for (let i = 0; i < 3; i++) entries.push({ receipt: await query(crashed) })
    const ledger = await Ledger.open(world.deps(parts))
    for (const closing of await ledger.takeClosings()) entries.push({ closing })
    entries.push({ receipt: await query(ledger) })
    await ledger.close()
    for (const closing of await ledger.takeClosings()) entries.push({ closing })
    expect(await verifyReceiptChain(entries, { license: world.license })).toMatchObject({
      queryCount: 1,
      units: 9,
      lostBlockCount: 1,
      lostUnits: 8,
      lostReceiptCount: 3,
    })
  })
})

describe('receipt log', () => {
  test('is read back, without the rest of a torn line', () => {
    const text = log.map(encodeReceiptLine).join('')
    expect(parseReceiptLog(text)).toEqual({ entries: log, torn: false })
    expect(parseReceiptLog(`${text}{"receipt":"AA`)).toEqual({ entries: log, torn: true })
    expect(parseReceiptLog('')).toEqual({ entries: [], torn: false })
  })

  test.each([
    '',
    '{}',
    '[]',
    'null',
    '{"receipt":1}',
    '{"receipt":"A"}',
    '{"receipt":"AA","x":1}',
    '{"closing":null}',
  ])('refuses the line %j', (line) => {
    const text = `${encodeReceiptLine(log[0] as ReceiptLogEntry)}${line}\n`
    expect(() => parseReceiptLog(text)).toThrow(
      expect.objectContaining({ code: 'RECEIPT_LOG_MALFORMED', field: 'line 2' }),
    )
  })
})
