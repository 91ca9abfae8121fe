// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  deriveSubkey,
  domain,
  generateSigningKeyPair,
  hkdfExtract,
  openAead,
  randomBytes,
  Secret,
  sealAead,
  signJws,
  utf8Bytes,
  verifyJws,
  wipe,
} from '@mlcapsule/crypto'

await cryptoReady()

// A secret knows its kind, and prints as [secret].
const contentKey = Secret.fromBytes('content-key', randomBytes(32))
const prk = hkdfExtract(utf8Bytes('salt'), contentKey)
const pageKey = deriveSubkey(prk, 'blob', Uint8Array.of(1), 'page-key')

const place = { key: pageKey, nonce: new Uint8Array(12), associatedData: domain('page') }
const sealed = await sealAead({ ...place, plaintext: utf8Bytes('weights') })
export const opened: Uint8Array = await openAead({ ...place, sealed })
for (const secret of [contentKey, prk, pageKey]) wipe(secret)

// Tokens: EdDSA and nothing else, an exact type, integers only.
const issuer = generateSigningKeyPair()
const token = await signJws({ ...issuer, typ: 'mlc-license+jwt', payload: { units: 100 } })
export const verified: unknown = await verifyJws(token, { typ: 'mlc-license+jwt', keys: [issuer.publicKey] })
// verified.payload is { units: 100 }
