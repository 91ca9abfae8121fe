// SPDX-License-Identifier: Apache-2.0
import { concatBytes, cryptoReady, fromHex, utf8Bytes } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { chainNowMs, type Issued, issue, makeCrl } from '../../../test/certificates.ts'
import { ExtendedKeyUsageExtension, Extension, KeyUsageFlags } from '../../x509/library.ts'
import { type VerifyEnrollmentRequestInput, verifyEnrollmentRequest } from './ek-chain.ts'
import { describeEkRoot, readEkRoots } from './ek-root.ts'

const invalid = 'ATTESTATION_CERTIFICATE_INVALID'
const derOf = ({ certificate }: Issued) => certificate.der
const pem = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE-----\n`

let root: Issued
let upper: Issued
let lower: Issued
let leaf: Issued
beforeAll(async () => {
  await cryptoReady()
  root = await issue({ name: 'Maker Root', isCa: true }, null)
  upper = await issue({ name: 'Maker', isCa: true, serial: '02' }, root)
  lower = await issue({ name: 'Maker of a series', isCa: true, serial: '03' }, upper)
  leaf = await issue(
    {
      name: 'TPM',
      serial: '04',
      keyUsage: KeyUsageFlags.keyAgreement,
      extensions: [new ExtendedKeyUsageExtension(['2.23.133.8.1'])],
    },
    lower,
  )
})

function verify(chain: readonly Issued[], changes: Partial<VerifyEnrollmentRequestInput> = {}) {
  return verifyEnrollmentRequest({
    request: { akPublic: Uint8Array.of(1), chain: chain.map(derOf) },
    roots: [derOf(root)],
    intermediates: [],
    revocationLists: 'unchecked',
    nowMs: chainNowMs,
    ...changes,
  })
}

describe('the way from an endorsement key to a root', () => {
  test('is found whatever the order of the authorities, and wherever they come from', async () => {
    const found = {
      ekSpkiSha256: leaf.certificate.spkiSha256,
      ekRootSpkiSha256: root.certificate.spkiSha256,
    }
    expect(await verify([leaf, lower, upper])).toMatchObject(found)
    expect(await verify([leaf, upper, lower])).toMatchObject(found)
    expect(await verify([leaf, upper], { intermediates: [derOf(lower)] })).toMatchObject(found)
    const both = utf8Bytes(pem(derOf(upper)) + pem(derOf(lower)))
    expect(await verify([leaf], { intermediates: [both] })).toMatchObject(found)
    // The root may come along; it is not trusted for that, nor in the way.
    expect(await verify([leaf, lower, upper, root])).toMatchObject(found)
  })

  test('is the one that leads to a root, among authorities of one name', async () => {
    const other = await issue({ name: 'Maker', isCa: true, serial: '02' }, null)
    const twin = await issue({ name: 'Maker of a series', isCa: true, serial: '05' }, other)
    expect(await verify([leaf, twin, lower, upper])).toMatchObject({
      ekRootSpkiSha256: root.certificate.spkiSha256,
    })
  })

  test('#4 #5 a root that is not trusted, one that looks alike, and a chain with a gap', async () => {
    const alike = await issue({ name: 'Maker Root', isCa: true }, null)
    const unknown = 'ATTESTATION_ROOT_UNKNOWN'
    expect(await codeOf(() => verify([leaf, lower, upper], { roots: [] }))).toBe(unknown)
    expect(await codeOf(() => verify([leaf, lower, upper, root], { roots: [derOf(alike)] }))).toBe(unknown)
    expect(await codeOf(() => verify([leaf, upper]))).toBe(unknown)
    expect(await codeOf(() => verify([leaf]))).toBe(unknown)
    expect(await codeOf(() => verify([]))).toBe(unknown)
  })

  test('what stands on it is validated', async () => {
    const nowMs = chainNowMs + 10 * 365 * 86_400_000
    expect(await codeOf(() => verify([leaf, lower, upper], { nowMs }))).toBe(
      'ATTESTATION_CERTIFICATE_EXPIRED',
    )
    expect(await codeOf(() => verify([upper]))).toBe(invalid)
    const request = { akPublic: Uint8Array.of(1), chain: [Uint8Array.of(0x30, 0)] }
    expect(await codeOf(() => verify([], { request }))).toBe(invalid)
    expect(await codeOf(() => verify([leaf], { intermediates: [utf8Bytes('no PEM')] }))).toBe(invalid)
  })

  test('every authority needs its list of revoked certificates, unless they stay unchecked', async () => {
    const lists = await Promise.all([root, upper, lower].map((it) => makeCrl(it)))
    const code = (revocationLists: readonly Uint8Array[]) =>
      codeOf(() => verify([leaf, lower, upper], { revocationLists }))
    expect(await code(lists)).toBe('ok')
    expect(await code(lists.slice(1))).toBe('ATTESTATION_REVOCATION_UNKNOWN')
    expect(await code([Uint8Array.of(0x30, 0)])).toBe('ATTESTATION_REVOCATION_UNKNOWN')
    const revoked = await makeCrl(lower, { revokedSerials: ['04'] })
    expect(await code([...lists.slice(0, 2), revoked])).toBe('ATTESTATION_CERTIFICATE_REVOKED')
  })
})

describe('a root', () => {
  const read = (bytes: Uint8Array, nowMs = chainNowMs) => readEkRoots(bytes, nowMs)
  const codeOfRoot = async (options: Partial<Parameters<typeof issue>[0]>) => {
    const made = await issue({ name: 'Root', isCa: true, ...options }, null)
    return await codeOf(() => read(derOf(made)))
  }

  test('is read from DER, and several from PEM', async () => {
    const expected = { subject: 'CN=Maker Root', spkiSha256: root.certificate.spkiSha256 }
    expect(await read(derOf(root))).toMatchObject([expected])
    const other = await issue({ name: 'Other', isCa: true }, null)
    const both = utf8Bytes(pem(derOf(root)) + pem(derOf(other)))
    expect(await read(both)).toMatchObject([expected, { subject: 'CN=Other' }])
    expect(describeEkRoot(derOf(root))).toEqual((await read(derOf(root)))[0])
  })

  test('#7 is one that signs itself and others, holds now, and has nothing that is not understood', async () => {
    expect(await codeOf(() => read(derOf(upper)))).toBe(invalid)
    expect(await codeOf(() => read(derOf(leaf)))).toBe(invalid)
    expect(await codeOfRoot({})).toBe('ok')
    expect(await codeOfRoot({ isCa: false })).toBe(invalid)
    expect(await codeOfRoot({ keyUsage: null })).toBe(invalid)
    expect(await codeOfRoot({ keyUsage: KeyUsageFlags.cRLSign })).toBe(invalid)
    expect(await codeOfRoot({ extensions: [new Extension('1.2.3.4', true, fromHex('0500'))] })).toBe(invalid)
    expect(await codeOfRoot({ notAfterMs: chainNowMs - 1000 })).toBe('ATTESTATION_CERTIFICATE_EXPIRED')
    expect(await codeOfRoot({ notBeforeMs: chainNowMs + 1000 })).toBe('ATTESTATION_CERTIFICATE_EXPIRED')
    const forged = derOf(root).slice()
    forged.set([(forged.at(-1) ?? 0) ^ 1], forged.length - 1)
    expect(await codeOf(() => read(forged))).toBe(invalid)
  })

  test('#80 bytes that are no certificate', async () => {
    for (const bytes of [new Uint8Array(), seeded('x'), concatBytes(derOf(root), Uint8Array.of(0))]) {
      expect(await codeOf(() => read(bytes))).toBe(invalid)
    }
  })
})
