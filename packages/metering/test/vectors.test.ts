// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { cryptoReady, fromHex, generateSigningKeyPair, Secret } from '@mlcapsule/crypto'
import { codeOf, loadVectors, readVectorFiles } from '@mlcapsule/crypto/testing'
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

const root = join(import.meta.dirname, '../../../vectors')
const load = (folder: string) => loadVectors(join(root, folder))

beforeAll(cryptoReady)

test('the generators make the committed vectors, byte for byte', async () => {
  expect(await tokenVectors()).toEqual(readVectorFiles(join(root, 'tokens/metering')))
  expect(await ledgerVectors()).toEqual(readVectorFiles(join(root, 'ledger')))
})

describe('license', () => {
  test.each(load('tokens/metering/license'))('%s', async (_name, vector) => {
    const code = await codeOf(async () => {
      const license = await verifyLicense(vector.token, vector.keys.map(fromHex))
      assertLicenseTime(license.claims, { nowMs: vector.nowMs })
    })
    expect({ code }).toEqual(vector.expected)
  })
})

describe('receipts', () => {
  test.each(load('tokens/metering/receipts'))('%s', async (_name, vector) => {
    const license = await verifyLicense(vector.license, vector.keys.map(fromHex))
    const { entries } = parseReceiptLog(vector.log.join(''))
    let sums: object = {}
    const code = await codeOf(async () => {
      sums = await verifyReceiptChain(entries, { license })
    })
    expect({ code, ...sums }).toMatchObject(vector.expected)
  })
})

describe('statement', () => {
  test.each(load('tokens/metering/statement'))('%s', async (_name, vector) => {
    const license = await verifyLicense(vector.license, vector.keys.map(fromHex))
    let history: StatementHistory | null = null
    if (vector.previous !== null) history = (await verifyStatement(vector.previous, license, null)).history
    let status = ''
    const code = await codeOf(async () => {
      status = (await verifyStatement(vector.token, license, history)).status
    })
    expect(code === 'ok' ? status : code).toBe(vector.expected)
  })
})

describe('ledger', () => {
  const secret = <Kind extends 'platform-key' | 'state-key'>(kind: Kind, hex: string | null) =>
    hex === null ? null : Secret.fromBytes(kind, fromHex(hex))

  test.each(load('ledger/start'))('%s', async (_name, vector) => {
    let value = fromHex(vector.anchor)
    let balance: object = {}
    const code = await codeOf(async () => {
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
      balance = { unitsLeft, unitsSpent, uncleanCount, strictUnits }
    })
    expect({ code, ...balance }).toEqual(vector.expected)
  })
})
