// SPDX-License-Identifier: Apache-2.0

import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  diffieHellman,
  KeyObject,
  privateDecrypt,
} from 'node:crypto'
import {
  concatBytes,
  cryptoReady,
  fromBase64Url,
  fromHex,
  keyThumbprint,
  sha256,
  toHex,
  uint32Bytes,
  utf8Bytes,
} from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type CertificateOptions,
  chainNowMs,
  type Issued,
  issue,
  makeCrl,
  p256,
  p384,
} from '../../../test/certificates.ts'
import { akAuthority, makeAk, publicArea, type TestAk } from '../../../test/tpm.ts'
import { ExtendedKeyUsageExtension, Extension, KeyUsageFlags } from '../../x509/library.ts'
import { RevocationList } from '../../x509/revocation-list.ts'
import { verifyAkCredential } from './ak-credential.ts'
import { type EndorsementKey, verifyEndorsementKey } from './endorsement-key.ts'
import { issueAkCredential, offerAkCredential } from './enrollment.ts'
import { makeCredential, type SealedCredential } from './make-credential.ts'
import { parsePublicArea } from './public-area.ts'

const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
  hash: 'SHA-256',
}
const ekPurpose = new ExtendedKeyUsageExtension(['2.23.133.8.1'])
/** A directory name, critical as where the subject is empty. */
const alternativeName = new Extension('2.5.29.17', true, fromHex('3004a4023000'))
const invalid = 'ATTESTATION_CERTIFICATE_INVALID'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'

interface EkChain {
  readonly root: Issued
  readonly middle: Issued
  readonly leaf: Issued
  readonly ders: readonly Uint8Array[]
}

let root: Issued
let ak: TestAk
beforeAll(async () => {
  await cryptoReady()
  root = await issue({ name: 'Maker Root', isCa: true }, null)
  ak = await makeAk()
})

async function ekChain(
  algorithm: typeof p256 | typeof rsa = p256,
  leafChanges: Partial<CertificateOptions> = {},
  middleChanges: Partial<CertificateOptions> = {},
): Promise<EkChain> {
  const middle = await issue({ name: 'Maker', isCa: true, serial: '02', ...middleChanges }, root)
  const keyUsage = algorithm === rsa ? KeyUsageFlags.keyEncipherment : KeyUsageFlags.keyAgreement
  const extensions = [ekPurpose, alternativeName]
  const leaf = await issue(
    { name: 'TPM', serial: '03', keyUsage, extensions, ...leafChanges },
    middle,
    algorithm,
  )
  return { root, middle, leaf, ders: [leaf, middle, root].map((it) => it.certificate.der) }
}

const verifyChain = (chain: readonly Uint8Array[], changes: object = {}) =>
  verifyEndorsementKey({
    chain,
    ekRoots: [root.certificate.spkiSha256],
    nowMs: chainNowMs,
    revocation: 'unchecked',
    ...changes,
  })
const codeOfChain = async (made: EkChain | Promise<EkChain>, changes: object = {}) => {
  const { ders } = await made
  return await codeOf(() => verifyChain(ders, changes))
}

describe('the certificate of an endorsement key', () => {
  test.each([
    ['RSA 2048', rsa, { kind: 'rsa', cipherKeyBits: 128 }],
    ['P-256', p256, { kind: 'P-256', cipherKeyBits: 128 }],
    ['P-384', p384, { kind: 'P-384', cipherKeyBits: 256 }],
  ])('of %s is accepted', async (_name, algorithm, protection) => {
    const made = await ekChain(algorithm)
    expect(await verifyChain(made.ders)).toMatchObject({
      ekSpkiSha256: made.leaf.certificate.spkiSha256,
      ekRootSpkiSha256: root.certificate.spkiSha256,
      protection,
    })
  })

  test('#4 #5 #6 a root that is not trusted, one that looks alike, one appended to a foreign chain', async () => {
    const made = await ekChain()
    expect(await codeOfChain(made, { ekRoots: [] })).toBe('ATTESTATION_ROOT_UNKNOWN')
    const alike = await issue({ name: 'Maker Root', isCa: true }, null)
    const [leaf, middle] = made.ders as [Uint8Array, Uint8Array]
    expect(await codeOf(() => verifyChain([leaf, middle, alike.certificate.der]))).toBe(
      'ATTESTATION_ROOT_UNKNOWN',
    )
    const ekRoots = [alike.certificate.spkiSha256]
    expect(await codeOf(() => verifyChain([leaf, middle, alike.certificate.der], { ekRoots }))).toBe(invalid)
    expect(await codeOf(() => verifyChain([root.certificate.der]))).toBe(invalid)
    expect(await codeOf(() => verifyChain([]))).toBe(invalid)
    expect(
      await codeOf(() => verifyChain([leaf, middle, middle, middle, middle, root.certificate.der])),
    ).toBe(invalid)
  })

  test('#7 #8 an authority that is none, and names that do not chain', async () => {
    expect(await codeOfChain(ekChain(p256, {}, { isCa: false }))).toBe(invalid)
    expect(await codeOfChain(ekChain(p256, { isCa: true }))).toBe(invalid)
    expect(await codeOfChain(ekChain(p256, { issuerName: 'Another' }))).toBe(invalid)
  })

  test('#9 out of its time', async () => {
    const expired = 'ATTESTATION_CERTIFICATE_EXPIRED'
    expect(await codeOfChain(ekChain(p256, { notAfterMs: chainNowMs - 1000 }))).toBe(expired)
    expect(await codeOfChain(ekChain(p256, { notBeforeMs: chainNowMs + 1000 }))).toBe(expired)
  })

  test('signed over SHA-1, and a short key above it', async () => {
    expect(await codeOfChain(ekChain(p256, { hash: 'SHA-1' }))).toBe(invalid)
    expect(await codeOfChain(ekChain(p256, {}, { hash: 'SHA-1' }))).toBe(invalid)
    const middle = await issue({ name: 'Maker', isCa: true, serial: '02' }, root, {
      ...rsa,
      modulusLength: 1024,
    })
    const options = {
      name: 'TPM',
      serial: '03',
      keyUsage: KeyUsageFlags.keyAgreement,
      extensions: [ekPurpose],
    }
    const leaf = await issue(options, middle)
    const ders = [leaf, middle, root].map((it) => it.certificate.der)
    expect(await codeOf(() => verifyChain(ders))).toBe(invalid)
  })

  test('revoked, or revocation unknown where it is asked for', async () => {
    const made = await ekChain()
    const code = async (revokedSerials: string[]) => {
      const crls = [await makeCrl(made.root), await makeCrl(made.middle, { revokedSerials })]
      const lists = crls.map((it) => new RevocationList(it))
      return await codeOfChain(made, { revocation: { lists, covers: 'all' } })
    }
    expect(await code([])).toBe('ok')
    expect(await code(['03'])).toBe('ATTESTATION_CERTIFICATE_REVOKED')
    expect(await codeOfChain(made, { revocation: { lists: [], covers: 'all' } })).toBe(
      'ATTESTATION_REVOCATION_UNKNOWN',
    )
  })

  test('a certificate for another purpose, for signatures, with another critical extension, of another key', async () => {
    expect(await codeOfChain(ekChain(p256, { extensions: [alternativeName] }))).toBe(invalid)
    const other = new ExtendedKeyUsageExtension(['2.23.133.8.3'])
    expect(await codeOfChain(ekChain(p256, { extensions: [other] }))).toBe(invalid)
    expect(await codeOfChain(ekChain(p256, { keyUsage: KeyUsageFlags.digitalSignature }))).toBe(invalid)
    const unknown = new Extension('1.2.3.4', true, fromHex('0500'))
    expect(await codeOfChain(ekChain(p256, { extensions: [ekPurpose, unknown] }))).toBe(invalid)
    // Nor is what is passed over in the leaf passed over above it.
    expect(await codeOfChain(ekChain(p256, {}, { extensions: [alternativeName] }))).toBe(invalid)
    expect(
      await codeOfChain(
        ekChain({ ...rsa, modulusLength: 3072 }, { keyUsage: KeyUsageFlags.keyEncipherment }),
      ),
    ).toBe(unsupported)
  })
})

/** The TPM's half of credential protection, by OpenSSL. */
async function activate(
  { idObject, encryptedSecret }: SealedCredential,
  ek: Issued,
  { protection }: EndorsementKey,
  akName: Uint8Array,
): Promise<Uint8Array> {
  const { kind, hash, cipherKeyBits } = protection
  const key = KeyObject.from(ek.keys.privateKey)
  const hmac = (secret: Uint8Array, ...parts: Uint8Array[]) =>
    createHmac(hash.name, secret)
      .update(concatBytes(...parts))
      .digest()
  const kdfa = (secret: Uint8Array, label: string, context: Uint8Array, bits: number) =>
    hmac(secret, uint32Bytes(1), utf8Bytes(`${label}\0`), context, uint32Bytes(bits)).subarray(0, bits / 8)
  let seed: Uint8Array
  if (kind === 'rsa') {
    const oaepLabel = Buffer.from('IDENTITY\0')
    seed = privateDecrypt({ key, oaepHash: hash.name, oaepLabel }, encryptedSecret)
  } else {
    const half = encryptedSecret.length / 2
    const [x, y] = [encryptedSecret.slice(2, half), encryptedSecret.slice(half + 2)]
    const { d: _private, ...own } = key.export({ format: 'jwk' })
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
    const ephemeral = await crypto.subtle.importKey(
      'jwk',
      { kty: 'EC', crv: kind, x: text(x), y: text(y) },
      { name: 'ECDH', namedCurve: kind },
      true,
      [],
    )
    const shared = diffieHellman({
      privateKey: createPrivateKey(key.export({ format: 'pem', type: 'pkcs8' })),
      publicKey: KeyObject.from(ephemeral),
    })
    seed = hash.digest(uint32Bytes(1), shared, utf8Bytes('IDENTITY\0'), x, fromBase64Url(own.x ?? ''))
  }
  const [integrity, encrypted] = [idObject.slice(2, 2 + hash.sizeBytes), idObject.slice(2 + hash.sizeBytes)]
  const integrityKey = kdfa(seed, 'INTEGRITY', new Uint8Array(), 8 * hash.sizeBytes)
  if (!hmac(integrityKey, encrypted, akName).equals(integrity)) throw new Error('integrity')
  const cipherKey = kdfa(seed, 'STORAGE', akName, cipherKeyBits)
  const cipher = createDecipheriv(`aes-${cipherKeyBits}-cfb`, cipherKey, new Uint8Array(16))
  return new Uint8Array(Buffer.concat([cipher.update(encrypted), cipher.final()])).slice(2)
}

describe('enrollment', () => {
  test.each([
    ['RSA 2048', rsa],
    ['P-256', p256],
    ['P-384', p384],
  ])('a TPM with an endorsement key of %s opens what was sealed for it', async (_name, algorithm) => {
    const made = await ekChain(algorithm)
    const ek = await verifyChain(made.ders)
    const { name } = parsePublicArea(ak.publicArea)
    const secret = seeded('secret').slice(0, 31)
    const sealed = await makeCredential(ek, name, secret)
    expect(await activate(sealed, made.leaf, ek, name)).toEqual(secret)
    const other = concatBytes(name.slice(0, -1), Uint8Array.of((name.at(-1) ?? 0) ^ 1))
    await expect(activate(sealed, made.leaf, ek, other)).rejects.toThrow('integrity')
  })

  test('#69 the answer earns a credential for this key, and no other answer does', async () => {
    const made = await ekChain()
    const ek = await verifyChain(made.ders)
    const { sealed, pending } = await offerAkCredential(ek, ak.publicArea)
    const akName = fromHex(pending.akName)
    const answer = await activate(sealed, made.leaf, ek, akName)
    const authority = akAuthority()
    const issuing = { pending, authority, nowMs: chainNowMs, lifetimeSeconds: 600 }
    const token = await issueAkCredential({ ...issuing, answer })
    const options = { authorities: [keyThumbprint(authority.publicKey)], akName, nowMs: chainNowMs }
    expect(await verifyAkCredential(token, options)).toEqual({
      akName: parsePublicArea(ak.publicArea).name,
      ekSpkiSha256: ek.ekSpkiSha256,
      ekRootSpkiSha256: root.certificate.spkiSha256,
      expiresAtMs: chainNowMs + 600_000,
    })
    for (const wrong of [new Uint8Array(), answer.slice(1), seeded('guess')]) {
      expect(await codeOf(() => issueAkCredential({ ...issuing, answer: wrong }))).toBe(
        'ATTESTATION_ENDORSEMENT_MISMATCH',
      )
    }
  })

  test('nothing is sealed to an endorsement key that is none', async () => {
    const ek = await verifyChain((await ekChain()).ders)
    const [name, secret] = [parsePublicArea(ak.publicArea).name, seeded('secret')]
    const offCurve = ek.spki.slice()
    offCurve.set([1, 2, 3], offCurve.length - 3)
    const asRsa = { ...ek.protection, kind: 'rsa' as const }
    for (const wrong of [
      { ...ek, spki: offCurve },
      { ...ek, spki: new Uint8Array(9) },
      { ...ek, protection: asRsa },
    ]) {
      expect(await codeOf(() => makeCredential(wrong, name, secret))).toBe(unsupported)
    }
  })

  test('#79 what the authority keeps is no secret', async () => {
    const made = await ekChain()
    const ek = await verifyChain(made.ders)
    const { sealed, pending } = await offerAkCredential(ek, ak.publicArea)
    const answer = await activate(sealed, made.leaf, ek, fromHex(pending.akName))
    expect(pending.answerSha256).toBe(toHex(sha256(answer)))
    expect(JSON.stringify(pending)).not.toContain(toHex(answer))
  })

  test('#69 a key that is no attestation key gets no offer', async () => {
    const ek = await verifyChain((await ekChain()).ders)
    for (const attributes of [0x0004_0072, 0x0005_0070, 0x0001_0072]) {
      const loose = publicArea('ecdsa', ak.jwk, { attributes })
      expect(await codeOf(() => offerAkCredential(ek, loose))).toBe(unsupported)
    }
  })
})
