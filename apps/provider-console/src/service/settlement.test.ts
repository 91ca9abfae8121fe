// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  type SigningKeyPair,
  signJws,
  toBase64Url,
} from '@mlcapsule/crypto'
import { statementTyp, verifyLicense } from '@mlcapsule/metering'
import { createCliContext, runProgram } from '@mlcapsule/terminal/cli'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFakeEnclave } from '../../test-support/fake-enclave.ts'
import { devPolicy, makePackedStore, type PackedStore } from '../../test-support/packed-store.ts'
import { runLedger } from '../../test-support/run-ledger.ts'
import { sharedTempDir } from '../../test-support/temp-dir.ts'
import { program } from '../cli/program.ts'
import { unaccountedGrantUnits } from './grants.ts'
import { type ProviderService, serveProvider } from './serve.ts'

const code = (name: string) => expect.objectContaining({ code: name })
const dir = sharedTempDir()
let store: PackedStore
let service: ProviderService
let customer: SigningKeyPair

beforeAll(async () => {
  await cryptoReady()
  store = await makePackedStore(dir.path)
  // Served, so that the command line below reaches the same store.
  service = await serveProvider({ storeDir: store.storeDir })
})
afterAll(async () => {
  await service.close()
  dir.remove()
})
beforeEach(async () => {
  customer = generateSigningKeyPair()
  await service.provider.createOrder({
    capsuleId: store.capsuleId,
    customerKey: toBase64Url(customer.publicKey),
    units: 1000,
    terms: { grantUnits: 300, blockMax: 8 },
    policy: devPolicy,
  })
})

async function activated() {
  const { headerHash, authorityKey } = store
  const enclave = await createFakeEnclave({ customer, headerHash, authorityKey })
  const wanted = { capsuleId: store.capsuleId, customer: keyThumbprint(customer.publicKey) }
  const { challenge } = await service.provider.issueChallenge(wanted)
  const { response } = await service.provider.activate({ request: await enclave.request(challenge) })
  const opened = await enclave.open(challenge, response)
  const license = await verifyLicense(opened.license, [authorityKey])
  return { enclave, opened, license }
}

async function used(queryCount: number) {
  const { enclave, opened, license } = await activated()
  return { enclave, license, ...(await runLedger(enclave, opened, store.authorityKey, queryCount)) }
}

const accept = (statement: string) => service.provider.acceptStatement({ statement })

async function verifyReceipts(receipts: string): Promise<Record<string, unknown>> {
  const path = join(dir.path, 'receipts.jsonl')
  writeFileSync(path, receipts)
  let printed = ''
  const stdout = { write: (text: string) => (printed += text) }
  const context = createCliContext({ stdout, stderr: stdout, env: {} })
  await runProgram(program, ['receipts', 'verify', path, '--json', '--store', store.storeDir], context)
  return JSON.parse(printed) as Record<string, unknown>
}

describe('statements', () => {
  test('one is taken once, counted, and taken again without effect', async () => {
    const { statement, license } = await used(20)
    expect(await accept(statement)).toEqual({
      status: 'accepted',
      licenseId: license.claims.jti,
      seq: 1,
      units: 20,
      unitsTotal: 20,
    })
    expect(await accept(statement)).toMatchObject({ status: 'repeated', unitsTotal: 20 })
    const licenses = await service.provider.listLicenses()
    expect(licenses).toContainEqual(
      expect.objectContaining({ licenseId: license.claims.jti, units: 300, unitsUsed: 20 }),
    )
  })

  test('an enclave that has accounted for itself lets the next one have a whole grant', async () => {
    const { statement } = await used(5)
    await accept(statement)
    expect((await activated()).license.claims.grant.units).toBe(300)
    // That one has not reported.
    expect((await activated()).license.claims.grant.units).toBe(unaccountedGrantUnits)
  })

  test('another statement of the same number is a fork', async () => {
    const { statement, enclave } = await used(5)
    await accept(statement)
    const payload = JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString()) as {
      units: number
    }
    const forked = await signJws({
      typ: statementTyp,
      ...enclave.identity,
      payload: { ...payload, units: 4 },
    })
    await expect(accept(forked)).rejects.toThrow(code('LEDGER_FORKED'))
    expect(await accept(statement)).toMatchObject({ status: 'repeated' })
  })

  test('one that another key signed, or that skips a number, is refused', async () => {
    const { statement, enclave } = await used(5)
    const payload = JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString()) as object
    const foreign = await signJws({ typ: statementTyp, ...generateSigningKeyPair(), payload })
    await expect(accept(foreign)).rejects.toThrow(code('TOKEN_SIGNER_UNKNOWN'))
    const later = await signJws({ typ: statementTyp, ...enclave.identity, payload: { ...payload, seq: 2 } })
    await expect(accept(later)).rejects.toThrow(code('TOKEN_STATEMENT_DISCONTINUOUS'))
    const stranger = { ...payload, license: toBase64Url(new Uint8Array(32)) }
    const unknown = await signJws({ typ: statementTyp, ...enclave.identity, payload: stranger })
    await expect(accept(unknown)).rejects.toThrow(code('PROVIDER_LICENSE_UNKNOWN'))
    expect(await accept(statement)).toMatchObject({ status: 'accepted' })
  })
})

describe('receipts verify', () => {
  test("checks a client's whole file against the license of this store", async () => {
    const { receipts, license } = await used(20)
    expect(await verifyReceipts(receipts)).toMatchObject({
      licenseId: license.claims.jti,
      queryCount: 20,
      units: 20,
      grantedUnits: 300,
      blockedCount: 0,
      lostBlockCount: 0,
      openReceiptCount: 0,
      torn: false,
    })
  })

  test('finds what is missing, changed, or of another store', async () => {
    const { receipts } = await used(20)
    const lines = receipts.split('\n')
    const without = (index: number) => lines.filter((_, at) => at !== index).join('\n')
    for (const index of [0, 3, 8]) {
      await expect(verifyReceipts(without(index))).rejects.toThrow(code('RECEIPT_CHAIN_BROKEN'))
    }
    await expect(verifyReceipts('{"receipt":"AA"}\n')).rejects.toThrow(code('PROVIDER_FILE_INVALID'))
    await expect(verifyReceipts('')).rejects.toThrow(code('PROVIDER_FILE_INVALID'))
  })
})
