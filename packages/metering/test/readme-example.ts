// SPDX-License-Identifier: Apache-2.0
import { cryptoReady, generateSigningKeyPair, randomBytes, Secret, toBase64Url } from '@mlcapsule/crypto'
import {
  deriveLedgerKey,
  issueLicense,
  Ledger,
  ledgerIdOf,
  memoryRecordStore,
  type ReceiptLogEntry,
  verifyLicense,
  verifyReceiptChain,
  verifyStatement,
  volatileAnchor,
} from '@mlcapsule/metering'

await cryptoReady()
const [authority, identity] = [generateSigningKeyPair(), generateSigningKeyPair()]
const ledgerId = ledgerIdOf(identity.publicKey)
const anchor = volatileAnchor() // on disk: await fileAnchor(path), from './node'
const anchorValue = await anchor.read() // before the license is asked for: a ledger is created once
const now = Math.floor(Date.now() / 1000)

// Provider: a hundred units for one enclave.
const { token } = await issueLicense({
  authority,
  claims: {
    sub: 'customer-1',
    jti: 'license-1',
    iat: now,
    nbf: now,
    exp: now + 365 * 86_400,
    model: 'digits',
    versions: { min: 1, max: 1 },
    ledger: toBase64Url(ledgerId),
    cnf: { jwk: { crv: 'Ed25519', kty: 'OKP', x: toBase64Url(identity.publicKey) } },
    tier: 'none',
    manifest: '11'.repeat(48),
    anchor: toBase64Url(anchor.descriptor),
    grant: { seq: 1, units: 100 },
    tariff: { unit: 1, blocked: 1, surchargeMax: 0 },
    lease: { queries: 10_000, poweredHours: 720 },
    blockMax: 8,
    statementEvery: 1000,
    answerPolicy: 'rounded',
    defenses: [{ name: 'rounding', version: 1 }],
    floors: { version: 0, revocation: 0 },
  },
})

// Enclave: two queries. Only a new block touches the record and the anchor.
const license = await verifyLicense(token, [authority.publicKey])
const platformKey = Secret.fromBytes('platform-key', randomBytes(32))
const key = deriveLedgerKey({ ledgerId, platformKey, stateKey: null })
const deps = { license, identity, key, anchor, store: memoryRecordStore() }
const ledger = await Ledger.create(deps, anchorValue)
const log: ReceiptLogEntry[] = []
for (let i = 0; i < 2; i++) {
  if (ledger.needsAdvance(1)) await ledger.advance(1)
  const reservation = ledger.reserve(1)
  // … defenses, model, defenses …
  const { receiptBytes, mustCommit } = ledger.settle(reservation, { verdict: 'pass' })
  if (mustCommit) await ledger.commit()
  log.push({ receipt: receiptBytes }) // and only now the answer leaves
}
await ledger.close()
for (const closing of await ledger.takeClosings()) log.push({ closing })
const statement = (await ledger.lastStatement()) ?? ''

// Client and provider: the same check of the receipts; the provider needs the statement alone.
export const chain = await verifyReceiptChain(log, { license }) // { queryCount: 2, units: 2, … }
export const verdict = await verifyStatement(statement, license, null) // { status: 'accepted', … }
