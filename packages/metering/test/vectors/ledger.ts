// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { seeded, seededRandom, type VectorCase, vectorFiles } from '@mlcapsule/crypto/testing'
import { decodeStored, extendedAnchor, Ledger, recordHash, volatileAnchor } from '../../src/index.ts'
import { faultyHost } from '../faulty-host.ts'
import { anchorStart, createWorld, query } from '../world.ts'

/** A ledger's records in the order in which they were written: created, a block opened, a second one, closed. */
export async function ledgerVectors(): Promise<Map<string, string>> {
  const world = await createWorld()
  const host = faultyHost()
  const ledger = await Ledger.create(
    world.deps({ ...host.connect(), random: seededRandom('ledger') }),
    anchorStart,
  )
  for (let i = 0; i < 10; i++) {
    await query(ledger, 1, { verdict: 'pass', levels: [1], defenses: { rounding: Uint8Array.of(i) } })
  }
  await ledger.close()
  const [created, firstBlock, secondBlock, closed] = host.records as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  const previousOf = (stored: Uint8Array) => decodeStored(stored).previous
  const next = (stored: Uint8Array) => {
    const { previous, record } = decodeStored(stored)
    return extendedAnchor(previous, recordHash(record))
  }
  const common = {
    license: world.license.token,
    keys: [toHex(world.authority.publicKey)],
    identitySeed: toHex(seeded('identity')),
    ledgerId: toHex(world.ledgerId),
    platformKey: toHex(seeded('platform key')),
    stateKey: toHex(seeded('state key')),
    anchorDescriptor: toHex(volatileAnchor(seeded('anchor')).descriptor),
  }
  const make = (
    clause: string,
    reason: string,
    expected: object,
    stored: Uint8Array | null,
    anchor: Uint8Array,
    changes: object = {},
  ): VectorCase => ({
    clause,
    reason,
    ...common,
    ...changes,
    stored: stored && toHex(stored),
    anchor: toHex(anchor),
    expected,
  })
  const flip = (stored: Uint8Array, at: number) => stored.with(at, (stored[at] ?? 0) ^ 1)
  const state = (unitsLeft: number, unitsSpent: number, uncleanCount = 0, strictUnits = 0) => ({
    code: 'ok',
    unitsLeft,
    unitsSpent,
    uncleanCount,
    strictUnits,
  })
  const invalid = { code: 'LEDGER_RECORD_INVALID' }
  const rolledBack = { code: 'LEDGER_ROLLED_BACK' }
  const foreign = extendedAnchor(next(closed), seeded('foreign'))
  const cases: Record<string, VectorCase> = {
    created: make('5.1', 'A fresh ledger, committed.', state(100, 0), created, next(created)),
    'block-open': make(
      '5.1',
      'A committed open block is forfeited.',
      state(92, 8, 1, 32),
      firstBlock,
      next(firstBlock),
    ),
    'block-uncommitted': make(
      '5.1',
      'An uncommitted block is served.',
      state(100, 0),
      firstBlock,
      previousOf(firstBlock),
    ),
    'second-block-open': make(
      '5.1',
      'The first block is paid, the second forfeited.',
      state(84, 16, 1, 32),
      secondBlock,
      next(secondBlock),
    ),
    'second-block-uncommitted': make(
      '5.1',
      'The first block is paid, the second is served.',
      state(92, 8),
      secondBlock,
      previousOf(secondBlock),
    ),
    closed: make('5.1', 'A clean end gives back what was left.', state(90, 10), closed, next(closed)),
    'rolled-back-one': make('5.1', 'The record before the last.', rolledBack, secondBlock, next(closed)),
    'rolled-back-to-start': make('5.1', 'The first record.', rolledBack, created, next(closed)),
    'anchor-moved': make('5.1', 'The anchor was moved by something else.', rolledBack, closed, foreign),
    missing: make('5.1', 'There is no record.', { code: 'LEDGER_RECORD_MISSING' }, null, next(closed)),
    'other-previous': make('3', 'Another previous value.', invalid, flip(closed, 0), next(closed)),
    'other-salt': make('3', 'Another salt.', invalid, flip(closed, 32), next(closed)),
    'ciphertext-changed': make('3', 'A changed byte.', invalid, flip(closed, 70), next(closed)),
    'tag-changed': make('3', 'A changed tag.', invalid, flip(closed, closed.length - 1), next(closed)),
    truncated: make('3', 'A missing byte.', invalid, closed.subarray(0, -1), next(closed)),
    'too-short': make('3', 'Shorter than a record can be.', invalid, closed.subarray(0, 79), next(closed)),
    'other-platform-key': make('2', 'The key of another platform.', invalid, closed, next(closed), {
      platformKey: toHex(seeded('another platform')),
    }),
    'no-state-key': make('2', 'No key by the provider.', invalid, closed, next(closed), { stateKey: null }),
    'other-anchor': make(
      '5.1',
      'An anchor that the license does not name.',
      { code: 'LICENSE_BINDING_MISMATCH' },
      closed,
      next(closed),
      {
        anchorDescriptor: toHex(volatileAnchor(seeded('another anchor')).descriptor),
      },
    ),
  }
  return vectorFiles('start', cases)
}
