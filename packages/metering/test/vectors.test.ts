// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cryptoReady, fromHex, generateSigningKeyPair, Secret } from '@mlcapsule/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  assertLicenseTime,
  deriveLedgerKey,
  extendedAnchor,
  Ledger,
  memoryRecordStore,
  parseReceiptLog,
  type StatementHistory,
  verifyLicense,
  verifyReceiptChain,
  verifyStatement,
  volatileAnchor,
} from '../src/index.ts'
import { ledgerVectors } from './vectors/ledger.ts'
import { tokenVectors } from './vectors/tokens.ts'
import { isCoded } from './world.ts'

// biome-ignore lint/suspicious/noExplicitAny: vectors are JSON of many forms, checked by what comes of them
type Vector = any

const root = join(import.meta.dirname, '..', '..', '..', 'vectors')

function load(folder: string): [name: string, vector: Vector][] {
  const path = join(root, folder)
  return readdirSync(path)
    .sort()
    .map((name) => [name, JSON.parse(readFileSync(join(path, name), 'utf8'))])
}

function readAll(folder: string): Map<string, string> {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  const files = names.filter((it) => it.endsWith('.json')).sort()
  return new Map(files.map((it) => [it.replaceAll('\\', '/'), readFileSync(join(root, folder, it), 'utf8')]))
}

/** What came of it, or the code that was thrown. */
async function outcomeOf<T>(act: () => Promise<T>): Promise<T | { code: string }> {
  try {
    return await act()
  } catch (error) {
    if (!isCoded(error)) throw error
    return { code: (error as { code: string }).code }
  }
}

beforeAll(cryptoReady)

test('the generators make the committed vectors, byte for byte', async () => {
  const sorted = (files: Map<string, string>) => new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
  expect(sorted(await tokenVectors())).toEqual(sorted(readAll('tokens/metering')))
  expect(sorted(await ledgerVectors())).toEqual(sorted(readAll('ledger')))
})

describe('license', () => {
  test.each(load('tokens/metering/license'))('%s', async (_name, vector) => {
    const outcome = await outcomeOf(async () => {
      const license = await verifyLicense(vector.token, vector.keys.map(fromHex))
      assertLicenseTime(license.claims, { nowMs: vector.nowMs })
      return { code: 'ok' }
    })
    expect(outcome).toEqual(vector.expected)
  })
})

describe('receipts', () => {
  test.each(load('tokens/metering/receipts'))('%s', async (_name, vector) => {
    const license = await verifyLicense(vector.license, vector.keys.map(fromHex))
    const { entries } = parseReceiptLog(vector.log.join(''))
    const outcome = await outcomeOf(async () => ({
      code: 'ok',
      ...(await verifyReceiptChain(entries, { license })),
    }))
    expect(outcome).toMatchObject(vector.expected)
  })
})

describe('statement', () => {
  test.each(load('tokens/metering/statement'))('%s', async (_name, vector) => {
    const license = await verifyLicense(vector.license, vector.keys.map(fromHex))
    let history: StatementHistory | null = null
    if (vector.previous !== null) history = (await verifyStatement(vector.previous, license, null)).history
    const outcome = await outcomeOf(() => verifyStatement(vector.token, license, history))
    expect('code' in outcome ? outcome.code : outcome.status).toBe(vector.expected)
  })
})

describe('ledger', () => {
  const secret = <Kind extends 'platform-key' | 'state-key'>(kind: Kind, hex: string | null) =>
    hex === null ? null : Secret.fromBytes(kind, fromHex(hex))

  test.each(load('ledger/start'))('%s', async (_name, vector) => {
    let value = fromHex(vector.anchor)
    const outcome = await outcomeOf(async () => {
      const ledger = await Ledger.open({
        license: await verifyLicense(vector.license, vector.keys.map(fromHex)),
        identity: generateSigningKeyPair(fromHex(vector.identitySeed)),
        key: deriveLedgerKey({
          ledgerId: fromHex(vector.ledgerId),
          platformKey: secret('platform-key', vector.platformKey),
          stateKey: secret('state-key', vector.stateKey),
        }),
        store: memoryRecordStore(vector.stored && fromHex(vector.stored)),
        anchor: {
          ...volatileAnchor(),
          descriptor: fromHex(vector.anchorDescriptor),
          read: async () => value,
          extend: async (digest) => {
            value = new Uint8Array(extendedAnchor(value, digest))
          },
        },
      })
      const { unitsLeft, unitsSpent, uncleanCount, strictUnits } = ledger.usage
      return { code: 'ok', unitsLeft, unitsSpent, uncleanCount, strictUnits }
    })
    expect(outcome).toEqual(vector.expected)
  })
})
