// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { CryptoError, cryptoReady, generateSigningKeyPair, Secret, toBase64Url } from '@mlcapsule/crypto'
import { seeded, seededRandom } from '@mlcapsule/crypto/testing'
import {
  deriveLedgerKey,
  issueLicense,
  type Ledger,
  type LedgerDeps,
  type LicenseClaims,
  ledgerIdOf,
  MeteringError,
  memoryRecordStore,
  type RecordStore,
  volatileAnchor,
} from '../src/index.ts'

export function isCoded(error: unknown): boolean {
  return error instanceof MeteringError || error instanceof CryptoError
}

export const nowSeconds = Date.UTC(2026, 0, 15, 12) / 1000

/** The value of every anchor here before its ledger is created. */
export const anchorStart: Uint8Array = new Uint8Array(32)

/** Keys of a provider and an enclave, and a license. */
export async function createWorld(changes: Partial<LicenseClaims> = {}) {
  await cryptoReady()
  const authority = generateSigningKeyPair(seeded('authority'))
  const identity = generateSigningKeyPair(seeded('identity'))
  const ledgerId = ledgerIdOf(identity.publicKey)
  const descriptor = volatileAnchor(seeded('anchor')).descriptor
  const claims: Omit<LicenseClaims, 'iss'> = {
    sub: 'customer-1',
    jti: 'license-1',
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + 86_400 * 365,
    model: 'digits',
    versions: { min: 1, max: 3 },
    ledger: toBase64Url(ledgerId),
    cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(identity.publicKey) } },
    tier: 'none',
    manifest: '11'.repeat(48),
    anchor: toBase64Url(descriptor),
    grant: { seq: 1, units: 100 },
    tariff: { unit: 1, blocked: 1, surchargeMax: 0 },
    lease: { queries: 1_000_000, poweredHours: 720 },
    blockMax: 8,
    statementEvery: 1000,
    answerPolicy: 'rounded',
    defenses: [{ name: 'rounding', version: 1 }],
    floors: { version: 0, revocation: 0 },
    ...changes,
  }
  const license = await issueLicense({ authority, claims })
  const key = () =>
    deriveLedgerKey({
      ledgerId,
      platformKey: Secret.fromBytes('platform-key', seeded('platform key')),
      stateKey: Secret.fromBytes('state-key', seeded('state key')),
    })
  const deps = (
    parts: { store?: RecordStore; anchor?: Anchor; random?: LedgerDeps['random'] } = {},
  ): LedgerDeps => ({
    license,
    identity,
    key: key(),
    anchor: parts.anchor ?? volatileAnchor(seeded('anchor')),
    store: parts.store ?? memoryRecordStore(),
    random: parts.random ?? seededRandom(`run ${Math.random()}`),
  })
  return { authority, identity, ledgerId, claims, license, key, deps }
}

export type World = Awaited<ReturnType<typeof createWorld>>

/** One query as an enclave makes it. @returns the receipt, once the answer may leave */
export async function query(
  ledger: Ledger,
  itemCount = 1,
  outcome: Parameters<Ledger['settle']>[1] = { verdict: 'pass' },
): Promise<Uint8Array> {
  if (ledger.needsAdvance(itemCount)) await ledger.advance(itemCount)
  const settlement = ledger.settle(ledger.reserve(itemCount), outcome)
  if (settlement.mustCommit) await ledger.commit()
  return settlement.receiptBytes
}
