// SPDX-License-Identifier: Apache-2.0
import { generateSigningKeyPair, type SigningKeyPair, signJws, toHex } from '@mlcapsule/crypto'
import { payloadOf, seeded, seededRandom, type VectorCase, vectorFiles } from '@mlcapsule/crypto/testing'
import {
  closingTyp,
  decodeReceipt,
  encodeReceipt,
  encodeReceiptLine,
  Ledger,
  licenseTyp,
  memoryRecordStore,
  type Receipt,
  type ReceiptLogEntry,
  statementTyp,
  volatileAnchor,
} from '../../src/index.ts'
import { anchorStart, createWorld, nowSeconds, query, type World } from '../world.ts'

async function licenseCases(world: World): Promise<Record<string, VectorCase>> {
  const { authority, license } = world
  const foreign = generateSigningKeyPair(seeded('foreign authority'))
  const make = async (
    reason: string,
    expected: string,
    changes: { payload?: object; signer?: SigningKeyPair; typ?: string; now?: number; drop?: string } = {},
  ): Promise<VectorCase> => {
    const payload: Record<string, unknown> = { ...license.claims, ...changes.payload }
    if (changes.drop !== undefined) delete payload[changes.drop]
    const token = await signJws({ typ: changes.typ ?? licenseTyp, ...(changes.signer ?? authority), payload })
    return {
      clause: '2',
      reason,
      token,
      keys: [toHex(authority.publicKey)],
      nowMs: (changes.now ?? nowSeconds) * 1000,
      expected: { code: expected },
    }
  }
  const end = license.claims.exp
  return {
    good: await make('A license in time.', 'ok'),
    'last-second': await make('Its last second.', 'ok', { now: end - 1 }),
    expired: await make('Its end has come.', 'LICENSE_EXPIRED', { now: end }),
    'not-yet-valid': await make('It starts in more than 300 s.', 'LICENSE_NOT_YET_VALID', {
      payload: { nbf: nowSeconds + 301 },
    }),
    'clock-set-back': await make('The clock is more than 300 s before iat.', 'LICENSE_CLOCK_SET_BACK', {
      now: nowSeconds - 301,
    }),
    'signer-unknown': await make('Another key signed.', 'LICENSE_SIGNER_UNKNOWN', { signer: foreign }),
    'other-type': await make('The token is of another type.', 'JWS_TYPE_MISMATCH', { typ: statementTyp }),
    'unknown-member': await make('A member is unknown.', 'LICENSE_MALFORMED', { payload: { note: 1 } }),
    'member-missing': await make('The floors are missing.', 'LICENSE_MALFORMED', { drop: 'floors' }),
    'ledger-of-another': await make('The ledger is not that of cnf.', 'LICENSE_MALFORMED', {
      payload: { ledger: 'A'.repeat(43) },
    }),
    'blocked-is-free': await make('A blocked query costs less.', 'LICENSE_MALFORMED', {
      payload: { tariff: { unit: 2, blocked: 1, surchargeMax: 0 } },
    }),
    'block-too-small': await make('A block holds not even one item.', 'LICENSE_MALFORMED', {
      payload: { blockMax: 2, tariff: { unit: 2, blocked: 2, surchargeMax: 1 } },
    }),
    'statements-too-often': await make('Statements would tell too much per query.', 'LICENSE_MALFORMED', {
      payload: { statementEvery: 999 },
    }),
    'nine-defenses': await make('There are more than eight defenses.', 'LICENSE_MALFORMED', {
      payload: { defenses: Array(9).fill({ name: 'rounding', version: 1 }) },
    }),
    'ends-before-start': await make('It ends when it starts.', 'LICENSE_MALFORMED', {
      payload: { exp: nowSeconds },
    }),
  }
}

/** Eight queries in one block, three in a second, which a crash loses, and one in a third. */
async function chain(world: World): Promise<ReceiptLogEntry[]> {
  const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
  const log: ReceiptLogEntry[] = []
  const drain = async (ledger: Ledger) => {
    for (const closing of await ledger.takeClosings()) log.push({ closing })
  }
  const first = await Ledger.create(world.deps({ ...parts, random: seededRandom('first life') }), anchorStart)
  for (let i = 0; i < 11; i++) {
    if (first.needsAdvance(1)) await first.advance(1)
    await drain(first)
    log.push({ receipt: await query(first, 1, { verdict: i === 5 ? 'block' : 'pass' }) })
  }
  const second = await Ledger.open(world.deps({ ...parts, random: seededRandom('second life') }))
  await drain(second)
  log.push({ receipt: await query(second, 1, { verdict: 'perturb' }) })
  await drain(second)
  await second.close()
  await drain(second)
  return log
}

async function chainCases(world: World): Promise<Record<string, VectorCase>> {
  const log = await chain(world)
  const closingAt = log.findIndex((it) => 'closing' in it)
  const closing = payloadOf((log[closingAt] as { closing: string }).closing)
  const receipt = decodeReceipt((log[2] as { receipt: Uint8Array }).receipt)
  const make = (
    clause: string,
    reason: string,
    expected: object,
    entries: readonly ReceiptLogEntry[],
  ): VectorCase => ({
    clause,
    reason,
    license: world.license.token,
    keys: [toHex(world.authority.publicKey)],
    log: entries.map(encodeReceiptLine),
    expected,
  })
  const changed = (changes: Partial<Receipt>) =>
    log.with(2, { receipt: encodeReceipt({ ...receipt, ...changes }) })
  const reclosed = async (changes: object, signer = world.identity) =>
    log.with(closingAt, {
      closing: await signJws({ typ: closingTyp, ...signer, payload: { ...closing, ...changes } }),
    })
  const broken = { code: 'RECEIPT_CHAIN_BROKEN' }
  const foreign = generateSigningKeyPair(seeded('foreign'))
  const sums = {
    code: 'ok',
    units: 17,
    queryCount: 9,
    blockedCount: 1,
    lostBlockCount: 1,
    lostUnits: 8,
    lostReceiptCount: 3,
  }
  return {
    good: make('5', 'Three blocks, of which a crash lost the second.', sums, log),
    'closing-again': make(
      '5',
      'A closing is given out once more.',
      sums,
      log.toSpliced(closingAt + 1, 0, log[closingAt] as ReceiptLogEntry),
    ),
    'receipt-missing': make('4', 'A receipt is missing.', broken, log.toSpliced(2, 1)),
    'last-receipt-missing': make('5', 'The last receipt of a block is missing.', broken, log.toSpliced(7, 1)),
    'receipt-twice': make(
      '4',
      'A receipt is there twice.',
      broken,
      log.toSpliced(2, 0, log[2] as ReceiptLogEntry),
    ),
    'receipts-swapped': make(
      '4',
      'Two receipts are swapped.',
      broken,
      log.with(2, log[3] as ReceiptLogEntry).with(3, log[2] as ReceiptLogEntry),
    ),
    'units-changed': make('5', 'A receipt says less than was charged.', broken, changed({ units: 0 })),
    'verdict-changed': make(
      '5',
      'A receipt says that a query was blocked.',
      broken,
      changed({ verdict: 'block' }),
    ),
    'other-license': make(
      '4',
      'A receipt is under another license.',
      { code: 'RECEIPT_LICENSE_MISMATCH' },
      changed({ license: seeded('license') }),
    ),
    'other-policy': make(
      '4',
      'A receipt names another answer policy.',
      { code: 'RECEIPT_LICENSE_MISMATCH' },
      changed({ policy: 'exact' }),
    ),
    'receipt-garbage': make(
      '4',
      'A receipt is not CBOR.',
      { code: 'RECEIPT_MALFORMED' },
      log.with(2, { receipt: Uint8Array.of(0xff) }),
    ),
    'closing-missing': make('5', 'A closing is missing.', broken, log.toSpliced(closingAt, 1)),
    'closing-foreign': make(
      '5',
      'A foreign key signed a closing.',
      { code: 'TOKEN_SIGNER_UNKNOWN' },
      await reclosed({}, foreign),
    ),
    'closing-units': make(
      '5',
      'A closing says more than its receipts.',
      broken,
      await reclosed({ units: 7 }),
    ),
    'closing-head': make('5', 'A closing has another head.', broken, await reclosed({ to: closing.from })),
    'closing-lost-with-receipts': make(
      '5',
      'The closing of a lost block has receipts.',
      { code: 'RECEIPT_MALFORMED' },
      await reclosed({ lost: true }),
    ),
    'closing-malformed': make(
      '5',
      'A closing has a block 0.',
      { code: 'RECEIPT_MALFORMED' },
      await reclosed({ block: 0 }),
    ),
  }
}

async function statementCases(world: World): Promise<Record<string, VectorCase>> {
  const parts = { store: memoryRecordStore(), anchor: volatileAnchor(seeded('anchor')) }
  const tokens: string[] = []
  for (const count of [5, 3]) {
    const deps = world.deps({ ...parts, random: seededRandom(`life ${count}`) })
    const ledger = await (count === 5 ? Ledger.create(deps, anchorStart) : Ledger.open(deps))
    for (let i = 0; i < count; i++)
      await query(ledger, 1, { verdict: i === 0 ? 'block' : 'pass', levels: [1] })
    await ledger.close()
    tokens.push((await ledger.lastStatement()) ?? '')
  }
  const [first, second] = tokens as [string, string]
  const make = (reason: string, expected: string, token: string, previous: string | null): VectorCase => ({
    clause: '6',
    reason,
    license: world.license.token,
    keys: [toHex(world.authority.publicKey)],
    previous,
    token,
    expected,
  })
  const sign = (payload: object, signer = world.identity) =>
    signJws({ typ: statementTyp, ...signer, payload })
  const changed = (changes: object) => sign({ ...payloadOf(second), ...changes })
  const { ledger, ...rest } = payloadOf(second)
  const discontinuous = 'TOKEN_STATEMENT_DISCONTINUOUS'
  const head = 'A'.repeat(43)
  return {
    first: make('The first statement.', 'accepted', first, null),
    second: make('It continues the first.', 'accepted', second, first),
    repeated: make('The same bytes once more.', 'repeated', first, first),
    'out-of-order': make('The first one is missing.', discontinuous, second, null),
    fork: make('Another statement of the same number.', 'LEDGER_FORKED', await changed({ seq: 1 }), first),
    'other-head': make('It continues another head.', discontinuous, await changed({ from: head }), first),
    'too-many-units': make('More units than granted.', discontinuous, await changed({ units: 96 }), first),
    'lost-not-unclean': make(
      'A lost block, but no unclean end.',
      discontinuous,
      await changed({ lostBlocks: 1 }),
      first,
    ),
    'other-license': make(
      'Another license.',
      'TOKEN_STATEMENT_MISMATCH',
      await changed({ license: head }),
      first,
    ),
    'other-tier': make('Another tier.', 'TOKEN_STATEMENT_MISMATCH', await changed({ tier: 'sgx' }), first),
    'member-order': make(
      'Members in another order.',
      'TOKEN_STATEMENT_MALFORMED',
      await sign({ ...rest, ledger }),
      first,
    ),
    'unknown-member': make(
      'A member is unknown.',
      'TOKEN_STATEMENT_MALFORMED',
      await changed({ note: 'x' }),
      first,
    ),
    'level-four': make(
      'A level above 3.',
      'TOKEN_STATEMENT_MALFORMED',
      await changed({ levels: [4] }),
      first,
    ),
    foreign: make(
      'A foreign key signed.',
      'TOKEN_SIGNER_UNKNOWN',
      await sign(payloadOf(second), generateSigningKeyPair(seeded('foreign'))),
      first,
    ),
  }
}

export async function tokenVectors(): Promise<Map<string, string>> {
  const world = await createWorld()
  return new Map([
    ...vectorFiles('license', await licenseCases(world)),
    ...vectorFiles('receipts', await chainCases(world)),
    ...vectorFiles('statement', await statementCases(world)),
  ])
}
