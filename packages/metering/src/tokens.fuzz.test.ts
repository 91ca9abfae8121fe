// SPDX-License-Identifier: Apache-2.0
import { signJws } from '@mlcapsule/crypto'
import { payloadOf } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { anchorStart, createWorld, isCoded, query, type World } from '../test/world.ts'
import { Ledger } from './ledger/ledger.ts'
import { licenseTyp, verifyLicense } from './license/license.ts'
import { closingTyp, verifyClosing } from './receipts/closing.ts'
import { parseReceiptLog } from './receipts/log.ts'
import { readStatement, statementTyp } from './statement/statement.ts'

const runs = process.env.SLOW === '1' ? 350_000 : 500
let world: World
let tokens: readonly string[]

beforeAll(async () => {
  world = await createWorld()
  const ledger = await Ledger.create(world.deps(), anchorStart)
  await query(ledger)
  await ledger.close()
  tokens = [world.license.token, ...(await ledger.takeClosings()), (await ledger.lastStatement()) ?? '']
})

/** Every parser either refuses with a code, or was given one of the unchanged tokens. */
async function feed(token: string): Promise<void> {
  const outcomes = await Promise.allSettled([
    verifyLicense(token, [world.authority.publicKey]),
    verifyClosing(token, world.license),
    readStatement(token, world.license),
  ])
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') expect(tokens).toContain(token)
    else if (!isCoded(outcome.reason)) throw outcome.reason
  }
}

const edit = fc.record({
  which: fc.nat(2),
  at: fc.nat(),
  remove: fc.nat(8),
  insert: fc.string({ maxLength: 8 }),
})

test('changed tokens are refused with a code', async () => {
  const property = fc.asyncProperty(edit, async ({ which, at, remove, insert }) => {
    const token = tokens[which] ?? ''
    const start = at % (token.length + 1)
    await feed(token.slice(0, start) + insert + token.slice(start + remove))
  })
  await fc.assert(property, { numRuns: runs })
})

test('signed payloads with a member of any form are refused with a code, or are as good', async () => {
  const types = [licenseTyp, closingTyp, statementTyp]
  const property = fc.asyncProperty(fc.nat(2), fc.nat(), fc.jsonValue(), async (which, at, value) => {
    const payload = payloadOf(tokens[which] ?? '')
    const names = Object.keys(payload)
    payload[names[at % names.length] ?? ''] = value
    const signer = which === 0 ? world.authority : world.identity
    try {
      const token = await signJws({ typ: types[which] ?? '', ...signer, payload })
      if (which === 0) await verifyLicense(token, [world.authority.publicKey])
      else if (which === 1) await verifyClosing(token, world.license)
      else await readStatement(token, world.license)
    } catch (error) {
      if (!isCoded(error)) throw error
    }
  })
  await fc.assert(property, { numRuns: runs })
})

test('files of receipts of any form are refused with a code, or read', () => {
  const line = fc.oneof(fc.json(), fc.string(), fc.constant('{"receipt":"AA"}'))
  const property = fc.property(fc.array(line), (lines) => {
    try {
      const { entries } = parseReceiptLog(lines.join('\n'))
      for (const entry of entries) expect(Object.keys(entry)).toHaveLength(1)
    } catch (error) {
      if (!isCoded(error)) throw error
    }
  })
  fc.assert(property, { numRuns: runs })
})
