// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, toBase64Url, utf8Bytes } from '@mlcapsule/crypto'
import { codeOf, seeded } from '@mlcapsule/crypto/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeEnrollmentAnswer,
  decodeEnrollmentOffer,
  decodeEnrollmentRequest,
  encodeEnrollmentAnswer,
  encodeEnrollmentOffer,
  encodeEnrollmentRequest,
  enrollmentFileMaxSizeBytes,
} from './enrollment-files.ts'

const invalid = 'ATTESTATION_ENROLLMENT_INVALID'
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const akName = `000b${'ab'.repeat(32)}`
const id = '5c'.repeat(16)
const request = { akPublic: Uint8Array.of(1, 2, 3), chain: [Uint8Array.of(4), Uint8Array.of(5)] }
const sealed = { idObject: Uint8Array.of(6), encryptedSecret: Uint8Array.of(7) }
const offer = { id, akName, ek: 'P-384', sealed } as const
const answer = { id, answer: seeded('answer') }

describe('the files of an enrollment', () => {
  test('are JSON in one way of writing', () => {
    expect(textOf(encodeEnrollmentRequest(request))).toBe(
      '{\n "version": 1,\n "akPublic": "AQID",\n "chain": [\n  "BA",\n  "BQ"\n ]\n}\n',
    )
    expect(textOf(encodeEnrollmentOffer(offer))).toBe(
      `{\n "version": 1,\n "id": "${id}",\n "akName": "${akName}",\n "ek": "P-384",\n "idObject": "Bg",\n "encryptedSecret": "Bw"\n}\n`,
    )
    expect(textOf(encodeEnrollmentAnswer(answer))).toBe(
      `{\n "version": 1,\n "id": "${id}",\n "answer": "${toBase64Url(answer.answer)}"\n}\n`,
    )
  })

  test('come back as they were', () => {
    const bytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength })
    const hex = (sizeBytes: number) =>
      fc
        .uint8Array({ minLength: sizeBytes, maxLength: sizeBytes })
        .map((it) => Buffer.from(it).toString('hex'))
    const requests = fc.record({
      akPublic: bytes(1024),
      chain: fc.array(bytes(600), { minLength: 1, maxLength: 4 }),
    })
    const offers = fc.record({
      id: hex(16),
      akName: hex(32).map((it) => `000b${it}`),
      ek: fc.constantFrom('rsa', 'P-256', 'P-384'),
      sealed: fc.record({ idObject: bytes(256), encryptedSecret: bytes(512) }),
    })
    const answers = fc.record({ id: hex(16), answer: fc.uint8Array({ minLength: 32, maxLength: 32 }) })
    fc.assert(
      fc.property(requests, offers, answers, (one, two, three) => {
        expect(decodeEnrollmentRequest(encodeEnrollmentRequest(one))).toEqual(one)
        expect(decodeEnrollmentOffer(encodeEnrollmentOffer(two))).toEqual(two)
        expect(decodeEnrollmentAnswer(encodeEnrollmentAnswer(three))).toEqual(three)
      }),
    )
  })

  test('the largest request is taken', () => {
    const chain = Array.from({ length: 4 }, (_, i) => new Uint8Array(8192).fill(i))
    const largest = { akPublic: new Uint8Array(1024), chain }
    const bytes = encodeEnrollmentRequest(largest)
    expect(bytes.length).toBeLessThan(enrollmentFileMaxSizeBytes)
    expect(decodeEnrollmentRequest(bytes)).toEqual(largest)
  })

  test('#80 what is larger than anything of its kind is not written', async () => {
    const code = (run: () => unknown) => codeOf(run)
    expect(await code(() => encodeEnrollmentRequest({ ...request, akPublic: new Uint8Array(1025) }))).toBe(
      invalid,
    )
    expect(await code(() => encodeEnrollmentRequest({ ...request, chain: [new Uint8Array(8193)] }))).toBe(
      invalid,
    )
    expect(await code(() => encodeEnrollmentRequest({ ...request, chain: [] }))).toBe(invalid)
    const five = Array.from({ length: 5 }, () => Uint8Array.of(1))
    expect(await code(() => encodeEnrollmentRequest({ ...request, chain: five }))).toBe(invalid)
    const large = { ...offer, sealed: { ...sealed, idObject: new Uint8Array(257) } }
    expect(await code(() => encodeEnrollmentOffer(large))).toBe(invalid)
    expect(await code(() => encodeEnrollmentAnswer({ id, answer: new Uint8Array(31) }))).toBe(invalid)
  })

  const requestText = textOf(encodeEnrollmentRequest(request))
  test.each([
    ['another version', requestText.replace('1,', '2,')],
    ['an unknown member', requestText.replace('1,', '1,\n "note": "",')],
    ['a repeated member', requestText.replace(' "akPublic"', ' "akPublic": "AQID",\n "akPublic"')],
    ['other white space', `${requestText} `],
    ['a number written otherwise', requestText.replace('1,', '1.0,')],
    ['padded base64', requestText.replace('"BA"', '"BA=="')],
    ['bits behind the end', requestText.replace('"BA"', '"BB"')],
    ['no certificate', requestText.replace(/\[[\s\S]*\]/, '[]')],
    ['a mark of byte order', `\ufeff${requestText}`],
    ['another file', textOf(encodeEnrollmentAnswer(answer))],
    ['nothing', ''],
    ['a list', '[]\n'],
  ])('#80 a request with %s is refused', async (_what, text) => {
    expect(text).not.toBe(requestText)
    expect(await codeOf(() => decodeEnrollmentRequest(utf8Bytes(text)))).toBe(invalid)
  })

  test('#80 a file is measured before it is read', async () => {
    const bytes = new Uint8Array(enrollmentFileMaxSizeBytes + 1).fill(0x20)
    for (const decode of [decodeEnrollmentRequest, decodeEnrollmentOffer, decodeEnrollmentAnswer])
      expect(await codeOf(() => decode(bytes))).toBe(invalid)
  })

  test('#79 a refusal repeats nothing of an answer', () => {
    const text = textOf(encodeEnrollmentAnswer(answer))
    const secret = toBase64Url(answer.answer)
    expect(fromBase64Url(secret)).toEqual(answer.answer)
    for (const changed of [text.replace('{', ''), text.replace(secret, `${secret}A`), `${text} `]) {
      let said = ''
      try {
        decodeEnrollmentAnswer(utf8Bytes(changed))
      } catch (error) {
        said = `${String(error)} ${String((error as Error).cause)}`
      }
      expect(said).toContain('answer')
      expect(said).not.toContain(secret)
    }
  })
})
