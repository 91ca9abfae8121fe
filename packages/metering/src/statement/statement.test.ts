// SPDX-License-Identifier: Apache-2.0
import { generateSigningKeyPair, signJws } from '@mlcapsule/crypto'
import { payloadOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { anchorStart, createWorld, query, type World } from '../../test/world.ts'
import { memoryRecordStore, volatileAnchor } from '../index.ts'
import { Ledger } from '../ledger/ledger.ts'
import {
  blockedBucket,
  readStatement,
  type StatementClaims,
  type StatementHistory,
  signStatement,
  statementTyp,
  surchargeStep,
  verifyStatement,
} from './statement.ts'

let world: World
let tokens: string[]

/** Two statements: 5 queries, then 3 more. */
beforeAll(async () => {
  world = await createWorld()
  const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
  tokens = []
  for (const count of [5, 3]) {
    const first = tokens.length === 0
    const ledger = await (first
      ? Ledger.create(world.deps(parts), anchorStart)
      : Ledger.open(world.deps(parts)))
    for (let i = 0; i < count; i++) await query(ledger)
    await ledger.close()
    tokens.push((await ledger.lastStatement()) ?? '')
  }
})

const code = (code: string, field?: string) =>
  expect.objectContaining(field === undefined ? { code } : { code, field })
const history = async (): Promise<StatementHistory> =>
  (await verifyStatement(tokens[0] ?? '', world.license, null)).history

describe('statement', () => {
  test('holds exactly the members of the schema, in one order', () => {
    const payload = payloadOf(tokens[0] ?? '')
    expect(Object.keys(payload).join(' ')).toBe(
      'ledger license seq from to head units lostBlocks unclean tier levels blocked surcharge',
    )
    expect(payload).toMatchObject({
      seq: 1,
      to: 1,
      units: 5,
      lostBlocks: 0,
      unclean: 0,
      tier: 'none',
      levels: [0],
    })
  })

  test('continues the one before', async () => {
    const first = await verifyStatement(tokens[0] ?? '', world.license, null)
    expect(first).toMatchObject({ status: 'accepted', history: { units: 5 } })
    const second = await verifyStatement(tokens[1] ?? '', world.license, first.history)
    expect(second).toMatchObject({
      status: 'accepted',
      history: { units: 8, last: { claims: { seq: 2, to: 2 } } },
    })
    const again = await verifyStatement(tokens[1] ?? '', world.license, second.history)
    expect(again).toEqual({ status: 'repeated', history: second.history })
  })

  test('out of order is refused', async () => {
    await expect(verifyStatement(tokens[1] ?? '', world.license, null)).rejects.toThrow(
      code('TOKEN_STATEMENT_DISCONTINUOUS', 'statement.seq'),
    )
    const second = (await verifyStatement(tokens[1] ?? '', world.license, await history())).history
    await expect(verifyStatement(tokens[0] ?? '', world.license, second)).rejects.toThrow(
      code('TOKEN_STATEMENT_DISCONTINUOUS', 'statement.seq'),
    )
  })

  test.each<[string, Partial<StatementClaims>, string, string]>([
    ['another statement of the same number', { seq: 1 }, 'LEDGER_FORKED', 'statement.seq'],
    ['another head before', { from: 'A'.repeat(43) }, 'TOKEN_STATEMENT_DISCONTINUOUS', 'statement.from'],
    ['fewer blocks', { to: 0 }, 'TOKEN_STATEMENT_DISCONTINUOUS', 'statement.to'],
    [
      'a lost block that is not unclean',
      { lostBlocks: 1 },
      'TOKEN_STATEMENT_DISCONTINUOUS',
      'statement.unclean',
    ],
    ['more units than granted', { units: 96 }, 'TOKEN_STATEMENT_DISCONTINUOUS', 'statement.units'],
    ['another license', { license: 'A'.repeat(43) }, 'TOKEN_STATEMENT_MISMATCH', 'statement.license'],
    ['another ledger', { ledger: 'A'.repeat(43) }, 'TOKEN_STATEMENT_MISMATCH', 'statement.ledger'],
    ['another tier', { tier: 'sgx' }, 'TOKEN_STATEMENT_MISMATCH', 'statement.tier'],
    ['a level too many', { levels: [0, 0] }, 'TOKEN_STATEMENT_MISMATCH', 'statement.levels'],
  ])('with %s is refused', async (_reason, change, expected, field) => {
    const { claims } = await readStatement(tokens[1] ?? '', world.license)
    const token = await signStatement(world.identity, { ...claims, ...change })
    await expect(verifyStatement(token, world.license, await history())).rejects.toThrow(
      code(expected, field),
    )
  })

  test('of another form, order or signer is refused', async () => {
    const { claims } = await readStatement(tokens[1] ?? '', world.license)
    const { ledger, ...rest } = claims
    for (const payload of [{ ...rest, ledger }, { ...claims, blocked: 16 }, { ...claims, note: 'x' }, rest]) {
      const token = await signJws({ typ: statementTyp, ...world.identity, payload })
      await expect(readStatement(token, world.license)).rejects.toThrow(code('TOKEN_STATEMENT_MALFORMED'))
    }
    const foreign = await signStatement(generateSigningKeyPair(seeded('foreign')), claims)
    await expect(readStatement(foreign, world.license)).rejects.toThrow(code('TOKEN_SIGNER_UNKNOWN'))
  })
})

describe('what a statement may tell', () => {
  test('blocked queries as one of sixteen powers of two', () => {
    const steps = [0, 1, 2, 3, 4, 7, 8, 16_383, 16_384, 2 ** 40].map(blockedBucket)
    expect(steps).toEqual([0, 1, 2, 2, 3, 3, 4, 14, 15, 15])
  })

  test('surcharges as one of sixteen steps', () => {
    expect([0, 1, 7, 8, 14, 15].map((units) => surchargeStep(units, 15))).toEqual([0, 1, 7, 8, 14, 15])
    expect([surchargeStep(1, 1000), surchargeStep(1000, 1000), surchargeStep(0, 0)]).toEqual([1, 15, 0])
  })
})
