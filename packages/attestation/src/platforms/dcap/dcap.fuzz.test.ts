// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8Bytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeDcap } from '../../../test/dcap.ts'
import { der } from '../../../test/der.ts'
import { isAttestationError } from '../../../test/errors.ts'
import { AttestationError } from '../../errors.ts'
import { readTlvs } from '../../x509/tlv.ts'
import { parseSgxQuote, parseTdxQuote } from './quote.ts'
import { readSignedJson } from './signed-json.ts'

const numRuns = process.env.SLOW === '1' ? 200_000 : 2000

/** What reading comes to; undefined for a coded refusal. Whatever else is thrown goes on. */
function read<Value>(run: () => Value): Value | undefined {
  try {
    return run()
  } catch (error) {
    if (isAttestationError(error)) return undefined
    throw error
  }
}

test.each([
  ['sgx', 3, parseSgxQuote],
  ['sgx', 5, parseSgxQuote],
  ['tdx', 4, parseTdxQuote],
  ['tdx', 5, parseTdxQuote],
] as const)(
  '#1 %s in version %i: any bytes anywhere are read or refused with a code',
  async (tee, version, parse) => {
    const { bytes } = await makeDcap(tee, () => {}, version)
    expect(read(() => parse(bytes))).toBeDefined()
    // The lengths lie behind the body, where changes matter most.
    const place = fc.oneof(fc.nat(80), fc.integer({ min: 430, max: 1400 }), fc.nat(bytes.length))
    let refused = 0
    fc.assert(
      fc.property(place, fc.uint8Array({ maxLength: 6 }), fc.nat(6), (at, content, removedCount) => {
        const changed = concatBytes(bytes.subarray(0, at), content, bytes.subarray(at + removedCount))
        const quote = read(() => parse(changed))
        if (quote === undefined) refused++
        else expect(changed.subarray(0, quote.signedBytes.length)).toEqual(quote.signedBytes)
      }),
      { numRuns },
    )
    expect(refused).toBeGreaterThan(numRuns / 4)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (noise) => {
        expect(read(() => parse(noise))).toBeUndefined()
      }),
      { numRuns: numRuns / 4 },
    )
  },
)

test('#31 the signed bytes are those of the text, whatever it holds and however it is spaced', () => {
  const space = fc.stringMatching(/^[ \t\r\n]{0,3}$/)
  const members = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }))
  fc.assert(
    fc.property(
      members,
      fc.boolean(),
      fc.nat(2),
      space,
      space,
      (value, signatureFirst, indent, before, after) => {
        const inner = JSON.stringify(value, null, indent)
        const parts = [`"body"${before}:${after}${inner}${before}`, `"signature":"${'0A'.repeat(64)}"`]
        const text = `${after}{${(signatureFirst ? parts.toReversed() : parts).join(`${after},`)}}${before}`
        const signed = read(() => readSignedJson(utf8Bytes(text), 'body', 'test'))
        expect(new TextDecoder().decode(signed?.signedBytes)).toBe(inner)
        expect(signed?.value).toEqual(JSON.parse(inner))
      },
    ),
    { numRuns },
  )
})

test('#31 a name twice is refused at any depth, however it is written', () => {
  const escaped = (name: string) =>
    `"${[...name].map((it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.nat(8), fc.boolean(), (name, depth, inArrays) => {
      const [open, close] = inArrays ? ['[', ']'] : ['{"a":', '}']
      const wrap = (text: string) => `{"x":${open.repeat(depth)}${text}${close.repeat(depth)}}`
      const bodyOf = (text: string) => utf8Bytes(`{"body":${wrap(text)},"signature":"${'00'.repeat(64)}"}`)
      const once = read(() => readSignedJson(bodyOf(`{${JSON.stringify(name)}:1}`), 'body', 'test'))
      expect(once).toBeDefined()
      const twice = `{${JSON.stringify(name)}:1,${escaped(name)}:2}`
      expect(read(() => readSignedJson(bodyOf(twice), 'body', 'test'))).toBeUndefined()
    }),
    { numRuns: numRuns / 4 },
  )
})

test('any text is read or refused with a code', () => {
  const text = '{"body":{"a":[{"b":"\\"}"},[1,2]]},"signature":"00"}'
  fc.assert(
    fc.property(fc.nat(text.length), fc.string({ maxLength: 4 }), fc.nat(4), (at, content, removedCount) => {
      const changed = text.slice(0, at) + content + text.slice(at + removedCount)
      expect(read(() => readSignedJson(utf8Bytes(changed), 'body', 'test'))).toBeUndefined()
    }),
    { numRuns },
  )
})

test('DER that is read has one form alone', () => {
  const refuse = (detail: string) => new AttestationError('ATTESTATION_CERTIFICATE_INVALID', detail)
  const value = fc.tuple(fc.constantFrom(0x02, 0x04, 0x30, 0xa0), fc.uint8Array({ maxLength: 300 }))
  const whole = fc
    .array(value, { maxLength: 4 })
    .map((it) => concatBytes(...it.map(([tag, bytes]) => der(tag, bytes))))
  fc.assert(
    fc.property(whole, (bytes) => {
      expect(read(() => readTlvs(bytes, refuse))).toBeDefined()
    }),
    { numRuns },
  )
  fc.assert(
    fc.property(
      fc.oneof(whole, fc.uint8Array({ maxLength: 40 })),
      fc.nat(),
      fc.nat(255),
      (bytes, place, byte) => {
        const changed = bytes.slice()
        if (place % 2 === 1 && bytes.length > 0) changed[place % bytes.length] = byte
        const values = read(() => readTlvs(changed, refuse))
        if (values !== undefined)
          expect(concatBytes(...values.map((it) => der(it.tag, it.value)))).toEqual(changed)
      },
    ),
    { numRuns },
  )
})
