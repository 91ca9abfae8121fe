// SPDX-License-Identifier: Apache-2.0
import {
  createSha256,
  cryptoReady,
  decodeCbor,
  deriveSubkey,
  encodeCbor,
  expose,
  fromHex,
  generateSigningKeyPair,
  hkdfExtract,
  hmacSha256,
  keyThumbprint,
  labeledHash,
  openAead,
  openKeyRelease,
  releaseKeyPairFrom,
  Secret,
  sealAead,
  sealKeyRelease,
  sha256,
  sha256Async,
  sha384,
  sha512,
  signDetached,
  signJws,
  toHex,
  utf8Bytes,
  verifyDetached,
  verifyJws,
} from '@mlcapsule/crypto'
import { codeFrom } from './code.ts'
import type { GivenCrypto } from './given.ts'

export const tokenType = 'mlc-license+jwt'
export const tokenPayload = { units: 100, model: 'digits' }
export const releaseInfo: Uint8Array = utf8Bytes('browser test')
export const associatedData: Uint8Array = utf8Bytes('page 0')

const cborValues: readonly unknown[] = [
  1_000_000_000_000,
  2n ** 64n - 1n,
  -1000,
  Uint8Array.of(1, 2, 3, 4),
  '\u6c34',
  [1, [2, 3], [4, 5]],
  new Map([
    [3, 4],
    [1, 2],
  ]),
  { b: [2, 3], a: 1 },
  [true, null],
]

/** A length that could be shorter, a tag, a repeated key, a trailing byte. */
const badCbor: readonly string[] = ['1817', 'c000', 'a201010102', '0000']

export type CryptoFindings = Awaited<ReturnType<typeof probeCrypto>>

export async function probeCrypto(given: GivenCrypto) {
  await cryptoReady()
  const message = fromHex(given.message)
  const half = message.length >> 1
  return {
    hashes: {
      sha256: toHex(sha256(message)),
      sha256Async: toHex(await sha256Async(message)),
      sha256Stream: toHex(
        createSha256().update(message.subarray(0, half)).update(message.subarray(half)).digest(),
      ),
      sha384: toHex(sha384(message)),
      sha512: toHex(sha512(message)),
      hmacSha256: toHex(hmacSha256(Secret.fromBytes('hmac-key', fromHex(given.pageKey)), message)),
      labeled: toHex(labeledHash('page', message)),
    },
    derived: toHex(expose(derivePageKey(given), 'page-key')),
    signing: signing(given, message),
    tokens: await tokens(given),
    release: await releases(given, message),
    aead: await aead(given, message),
    cbor: {
      encoded: cborValues.map((value) => toHex(encodeCbor(value))),
      encodedAgain: cborValues.map((value) =>
        toHex(encodeCbor(decodeCbor(encodeCbor(value), { maxSizeBytes: 64 }))),
      ),
      refused: await Promise.all(
        badCbor.map((hex) => codeFrom(() => decodeCbor(fromHex(hex), { maxSizeBytes: 64 }))),
      ),
    },
    secret: printed(Secret.fromBytes('page-key', fromHex(given.pageKey))),
  }
}

const derivePageKey = (given: GivenCrypto): Secret<'page-key'> =>
  deriveSubkey(
    hkdfExtract(utf8Bytes('salt'), Secret.fromBytes('content-key', fromHex(given.pageKey))),
    'blob',
    Uint8Array.of(1),
    'page-key',
  )

function signing(given: GivenCrypto, message: Uint8Array) {
  const { publicKey, privateKey } = generateSigningKeyPair(fromHex(given.signingSeed))
  const signature = signDetached(privateKey, message)
  const verifies = verifyDetached(publicKey, message, signature)
  const changed = signature.with(40, (signature[40] as number) ^ 1)
  return {
    publicKey: toHex(publicKey),
    thumbprint: keyThumbprint(publicKey),
    signature: toHex(signature),
    verifies,
    changedVerifies: verifyDetached(publicKey, message, changed),
  }
}

async function tokens(given: GivenCrypto) {
  const pair = generateSigningKeyPair(fromHex(given.signingSeed))
  const keys = [pair.publicKey]
  const verified = await verifyJws(given.token, { typ: tokenType, keys })
  return {
    signed: await signJws({ ...pair, typ: tokenType, payload: tokenPayload }),
    payload: verified.payload,
    otherType: await codeFrom(() => verifyJws(given.token, { typ: 'mlc-challenge+jwt', keys })),
    otherKey: await codeFrom(() => verifyJws(given.token, { typ: tokenType, keys: [] })),
  }
}

/** `fresh` differs in each run; whoever holds the key can open it. */
async function releases(given: GivenCrypto, message: Uint8Array) {
  const { publicKey, privateKey } = releaseKeyPairFrom(
    Secret.fromBytes('x25519-private', fromHex(given.releaseKey)),
  )
  const [enc, ciphertext] = [fromHex(given.release.enc), fromHex(given.release.ciphertext)]
  const fresh = await sealKeyRelease(publicKey, releaseInfo, message)
  return {
    publicKey: toHex(publicKey),
    opened: toHex(await openKeyRelease(privateKey, enc, releaseInfo, ciphertext)),
    otherInfo: await codeFrom(() => openKeyRelease(privateKey, enc, message, ciphertext)),
    openedOwn: toHex(await openKeyRelease(privateKey, fresh.enc, releaseInfo, fresh.ciphertext)),
    fresh: { enc: toHex(fresh.enc), ciphertext: toHex(fresh.ciphertext) },
  }
}

async function aead(given: GivenCrypto, message: Uint8Array) {
  const key = Secret.fromBytes('page-key', fromHex(given.pageKey))
  const place = { key, nonce: fromHex(given.nonce), associatedData }
  const sealed = await sealAead({ ...place, plaintext: message })
  return {
    sealed: toHex(sealed),
    opened: toHex(await openAead({ ...place, sealed })),
    otherPlace: await codeFrom(() => openAead({ ...place, associatedData: message, sealed })),
  }
}

function printed(secret: Secret) {
  return {
    text: String(secret),
    joined: `key: ${secret}`,
    json: JSON.stringify({ secret }),
    cloned: JSON.stringify(structuredClone(secret)),
    ownNames: Reflect.ownKeys(secret).map(String),
  }
}
