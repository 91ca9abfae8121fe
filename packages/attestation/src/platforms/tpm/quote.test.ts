// SPDX-License-Identifier: Apache-2.0
import { concatBytes, cryptoReady, fromBase64Url, sha256 } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { isAttestationError } from '../../../test/errors.ts'
import {
  type AttestOptions,
  attestBytes,
  makeAk,
  pcrValue,
  quotedPcrs,
  type TestAk,
  testNonce,
  testPcrs,
  tpm2b,
  u16,
} from '../../../test/tpm.ts'
import { parseAttest } from './attest.ts'
import type { PublicJwk } from './public-key.ts'
import { parseSignature } from './signature.ts'
import { type PcrBanks, type QuoteInput, verifyQuote } from './verify-quote.ts'

const malformed = 'ATTESTATION_EVIDENCE_MALFORMED'
const unsupported = 'ATTESTATION_EVIDENCE_UNSUPPORTED'
const badSignature = 'ATTESTATION_SIGNATURE_INVALID'
const mismatch = 'ATTESTATION_REPORT_DATA_MISMATCH'
const foreign = 'ATTESTATION_ENDORSEMENT_MISMATCH'

let ak: TestAk
beforeAll(async () => {
  await cryptoReady()
  ak = await makeAk()
})

async function quoteOf(options: AttestOptions = {}, signer = ak): Promise<QuoteInput> {
  const attest = attestBytes(options)
  return {
    attest,
    signature: await signer.sign(attest),
    key: signer.jwk as PublicJwk,
    pcrs: testPcrs,
    expectedNonce: testNonce,
  }
}

/** Signed anew, so that only the content can be at fault. */
const codeFor = async (options: AttestOptions, more: Partial<QuoteInput> = {}) => {
  const input = { ...(await quoteOf(options)), ...more }
  return await codeOf(() => verifyQuote(input))
}

const bankOf = (pcrs: readonly number[], value = pcrValue): PcrBanks =>
  new Map([['sha256', new Map(pcrs.map((pcr) => [pcr, value(pcr)]))]])

describe('a quote', () => {
  test.each(['rsassa', 'rsapss', 'ecdsa'] as const)(
    'signed by %s is accepted with what it covers',
    async (scheme) => {
      const verified = await verifyQuote(await quoteOf({}, await makeAk(scheme)))
      expect(verified.pcrs).toEqual(testPcrs)
      expect(verified.signature).toMatchObject({ scheme, hashId: 0x0b })
      expect(verified.attest).toMatchObject({
        magic: 0xff544347,
        type: 0x8018,
        extraData: testNonce,
        clockMs: 123_456n,
        resetCount: 7,
        restartCount: 1,
        isClockSafe: true,
        firmwareVersion: 0x2020_0312n,
        quote: { selections: [{ hashId: 0x0b, pcrs: quotedPcrs }] },
      })
    },
  )

  test('RSA-PSS takes the salt of FIPS 186 and the longest, and no other', async () => {
    const code = async (saltLength: number) => {
      const input = await quoteOf({}, await makeAk('rsapss', { saltLength }))
      return await codeOf(() => verifyQuote(input))
    }
    expect(await code(32)).toBe('ok')
    expect(await code(222)).toBe('ok')
    expect(await code(20)).toBe(badSignature)
    expect(await code(0)).toBe(badSignature)
  })

  test('values that it does not cover are not passed on', async () => {
    const all = bankOf([0, 1, 2, 4, 7, 11, 23])
    const verified = await verifyQuote({ ...(await quoteOf()), pcrs: all })
    expect([...(verified.pcrs.get('sha256')?.keys() ?? [])]).toEqual(quotedPcrs)
  })

  test('two banks are hashed in the order of the selection', async () => {
    const sha384Value = concatBytes(seeded('a'), seeded('b').slice(0, 16))
    const pcrs: PcrBanks = new Map([...bankOf([0]), ['sha384', new Map([[4, sha384Value]])]])
    const selections = [
      { hashId: 0x0c, pcrs: [4] },
      { hashId: 0x0b, pcrs: [0] },
    ]
    const pcrDigest = sha256(sha384Value, pcrValue(0))
    expect(await codeFor({ selections, pcrDigest }, { pcrs })).toBe('ok')
    expect(await codeFor({ selections: [...selections].reverse(), pcrDigest }, { pcrs })).toBe(foreign)
  })
})

describe('the attack checklist', () => {
  test('#1 every cut of the structures is refused', async () => {
    const input = await quoteOf()
    for (const field of ['attest', 'signature'] as const) {
      for (let sizeBytes = 0; sizeBytes < input[field].length; sizeBytes++) {
        const cut = { ...input, [field]: input[field].slice(0, sizeBytes) }
        expect(await codeOf(() => verifyQuote(cut))).toMatch(/MALFORMED|UNSUPPORTED/)
      }
    }
  })

  test('#1 sizes beyond the end, and more banks than are read', async () => {
    const attest = attestBytes()
    for (const at of [6, 6 + 2 + 34]) {
      const changed = attest.slice()
      changed.set([0xff, 0xff], at)
      expect(await codeOf(() => parseAttest(changed))).toBe(malformed)
    }
    expect(await codeFor({ bankCount: 0xffffffff })).toBe(malformed)
    expect(await codeFor({ bankCount: 9 })).toBe(malformed)
    expect(await codeFor({ bankCount: 2 })).toBe(malformed)
    expect(await codeFor({ bitmapSizeBytes: 4 })).toBe(malformed)
    expect(await codeFor({ bitmapSizeBytes: 255 })).toBe(malformed)
  })

  test('#2 #66 bytes after the end', async () => {
    expect(await codeFor({ trailing: Uint8Array.of(0) })).toBe(malformed)
    const input = await quoteOf()
    const longer = { ...input, signature: concatBytes(input.signature, Uint8Array.of(0)) }
    expect(await codeOf(() => verifyQuote(longer))).toBe(malformed)
  })

  test('#3 a signature of zeros, of one number zero, and of numbers that are too long', async () => {
    const input = await quoteOf()
    const [r, s] = [input.signature.slice(6, 38), input.signature.slice(40)]
    const zero = new Uint8Array(32)
    const code = (...numbers: Uint8Array[]) => {
      const signature = concatBytes(u16(0x18), u16(0x0b), ...numbers.map(tpm2b))
      return codeOf(() => verifyQuote({ ...input, signature }))
    }
    expect(await code(r, s)).toBe('ok')
    expect(await code(zero, zero)).toBe(badSignature)
    expect(await code(zero, s)).toBe(badSignature)
    expect(await code(r, zero)).toBe(badSignature)
    expect(await code(r, new Uint8Array())).toBe(badSignature)
    expect(await code(concatBytes(Uint8Array.of(1), r), s)).toBe(badSignature)
    expect(await code(new Uint8Array(67).fill(1), s)).toBe(malformed)
    expect(await code(new Uint8Array(32).fill(0xff), s)).toBe(badSignature)
    const rsa = await makeAk('rsassa')
    const ofRsa = await quoteOf({}, rsa)
    for (const sizeBytes of [0, 255, 256, 257]) {
      const signature = concatBytes(u16(0x14), u16(0x0b), tpm2b(new Uint8Array(sizeBytes)))
      expect(await codeOf(() => verifyQuote({ ...ofRsa, signature }))).toBe(badSignature)
    }
  })

  test('#10 unknown schemes and hashes, keys that are weak or of another kind', async () => {
    const input = await quoteOf()
    const code = (more: Partial<QuoteInput>) => codeOf(() => verifyQuote({ ...input, ...more }))
    const changed = (at: number, value: number) => {
      const signature = input.signature.slice()
      signature.set(u16(value), at)
      return { signature }
    }
    expect(await code(changed(0, 0x1a))).toBe(unsupported)
    expect(await code(changed(0, 0x05))).toBe(unsupported)
    expect(await code(changed(2, 0x12))).toBe(unsupported)
    expect(await code(changed(2, 0x0c))).toBe(badSignature)
    const rsa = (await makeAk('rsassa')).jwk as PublicJwk & { kty: 'RSA' }
    expect(await code({ key: rsa })).toBe(unsupported)
    const weak = await quoteOf({}, await makeAk('rsassa', { modulusLength: 1024 }))
    expect(await codeOf(() => verifyQuote(weak))).toBe(unsupported)
    const ofRsa = await quoteOf({}, await makeAk('rsassa'))
    const modulus = fromBase64Url((ofRsa.key as typeof rsa).n)
    expect(modulus).toHaveLength(256)
    for (const key of [
      { ...rsa, e: 'Aw' },
      { ...rsa, n: '?' },
      { ...rsa, n: '' },
    ]) {
      expect(await codeOf(() => verifyQuote({ ...ofRsa, key }))).toBe(unsupported)
    }
    const point = input.key as PublicJwk & { kty: 'EC' }
    for (const key of [
      { ...point, crv: 'P-521' },
      { ...point, y: point.x },
    ]) {
      expect(await code({ key })).toBe(unsupported)
    }
  })

  test('#65 another key, changed bytes, a changed signature', async () => {
    const input = await quoteOf()
    const other = (await makeAk()).jwk as PublicJwk
    expect(await codeOf(() => verifyQuote({ ...input, key: other }))).toBe(badSignature)
    for (const field of ['attest', 'signature'] as const) {
      for (let at = 0; at < input[field].length; at++) {
        const bytes = input[field].slice()
        bytes[at] = (bytes[at] ?? 0) ^ 1
        await expect(verifyQuote({ ...input, [field]: bytes })).rejects.toSatisfy(isAttestationError)
      }
    }
  })

  test('#65 a signature over SHA-1, a bank of SHA-1 alone or beside another', async () => {
    const input = await quoteOf()
    const signature = input.signature.slice()
    signature.set(u16(0x04), 2)
    expect(await codeOf(() => verifyQuote({ ...input, signature }))).toBe(unsupported)
    const sha1 = { hashId: 0x04, pcrs: [0] }
    expect(await codeFor({ selections: [sha1] })).toBe(unsupported)
    expect(await codeFor({ selections: [{ hashId: 0x0b, pcrs: quotedPcrs }, sha1] })).toBe(unsupported)
  })

  test('#66 what the TPM did not make, and what it made of another type', async () => {
    expect(await codeFor({ magic: 0x00544347 })).toBe(malformed)
    for (const type of [0x8014, 0x8016, 0x8017, 0x8019, 0x801a, 0x801c, 0]) {
      expect(await codeFor({ type })).toBe(unsupported)
    }
    expect(await codeFor({ safe: 2 })).toBe(malformed)
  })

  test('#12 #13 #67 a nonce that is another, longer, shorter, empty, or not asked for', async () => {
    expect(await codeFor({ extraData: seeded('another') })).toBe(mismatch)
    expect(await codeFor({ extraData: testNonce.slice(0, 31) })).toBe(mismatch)
    expect(await codeFor({ extraData: concatBytes(testNonce, Uint8Array.of(0)) })).toBe(mismatch)
    expect(await codeFor({ extraData: new Uint8Array() })).toBe(mismatch)
    const expectedNonce = new Uint8Array()
    expect(await codeFor({}, { expectedNonce })).toBe('ATTESTATION_CLAIMS_INVALID')
    expect(await codeFor({ extraData: expectedNonce }, { expectedNonce })).toBe('ATTESTATION_CLAIMS_INVALID')
    expect(await codeFor({ extraData: new Uint8Array(67) })).toBe(malformed)
  })

  test('#68 no register, a bank twice, values that are missing, of another size, or not the quoted ones', async () => {
    const pcrDigest = sha256()
    expect(await codeFor({ selections: [], pcrDigest })).toBe(unsupported)
    expect(await codeFor({ selections: [{ hashId: 0x0b, pcrs: [] }], pcrDigest })).toBe(unsupported)
    const halves = [
      { hashId: 0x0b, pcrs: [0, 4] },
      { hashId: 0x0b, pcrs: [7, 11] },
    ]
    expect(await codeFor({ selections: halves })).toBe(malformed)
    expect(await codeFor({}, { pcrs: bankOf([0, 4, 7]) })).toBe(malformed)
    expect(await codeFor({}, { pcrs: new Map() })).toBe(malformed)
    expect(await codeFor({}, { pcrs: bankOf(quotedPcrs, () => new Uint8Array(20)) })).toBe(malformed)
    expect(await codeFor({}, { pcrs: bankOf(quotedPcrs, (pcr) => pcrValue(pcr + 1)) })).toBe(foreign)
    const swapped = bankOf(quotedPcrs, (pcr) => pcrValue(pcr === 0 ? 4 : pcr === 4 ? 0 : pcr))
    expect(await codeFor({}, { pcrs: swapped })).toBe(foreign)
    expect(await codeFor({ pcrDigest: sha256(seeded('x')) })).toBe(foreign)
    expect(await codeFor({ pcrDigest: new Uint8Array() })).toBe(foreign)
  })
})

test('any bytes are read or refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const parse of [parseAttest, parseSignature]) {
        expect(() => parse(bytes)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^ATTESTATION_/) }),
        )
      }
    }),
  )
})
