// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAttestationError } from '../../../test/errors.ts'
import {
  decodeEnrollmentAnswer,
  decodeEnrollmentOffer,
  decodeEnrollmentRequest,
  encodeEnrollmentAnswer,
  encodeEnrollmentOffer,
  encodeEnrollmentRequest,
} from './enrollment-files.ts'

const runs = process.env.SLOW === '1' ? 100_000 : 300
const bytes = (sizeBytes: number) => new Uint8Array(sizeBytes).fill(sizeBytes)
const id = '5c'.repeat(16)
const akName = `000b${'ab'.repeat(32)}`

/** Each reads bytes and writes what it has read. */
const kinds: readonly (readonly [string, Uint8Array, (bytes: Uint8Array) => Uint8Array])[] = [
  [
    'request',
    encodeEnrollmentRequest({ akPublic: bytes(20), chain: [bytes(9), bytes(10)] }),
    (it) => encodeEnrollmentRequest(decodeEnrollmentRequest(it)),
  ],
  [
    'offer',
    encodeEnrollmentOffer({
      id,
      akName,
      ek: 'rsa',
      sealed: { idObject: bytes(12), encryptedSecret: bytes(13) },
    }),
    (it) => encodeEnrollmentOffer(decodeEnrollmentOffer(it)),
  ],
  [
    'answer',
    encodeEnrollmentAnswer({ id, answer: bytes(32) }),
    (it) => encodeEnrollmentAnswer(decodeEnrollmentAnswer(it)),
  ],
]

/** Every file is refused with a code, or is the one way to write what it holds. */
function feed(readAndWrite: (bytes: Uint8Array) => Uint8Array, given: Uint8Array): void {
  try {
    expect(readAndWrite(given)).toEqual(given)
  } catch (error) {
    if (!isAttestationError(error)) throw error
  }
}

test.each(kinds)('#80 any edit of a %s', (_what, encoded, readAndWrite) => {
  const text = new TextDecoder().decode(encoded)
  const place = fc.nat({ max: text.length })
  fc.assert(
    fc.property(place, fc.nat({ max: 8 }), fc.string({ maxLength: 8 }), (at, remove, insert) => {
      feed(readAndWrite, utf8Bytes(text.slice(0, at) + insert + text.slice(at + remove)))
    }),
    { numRuns: runs },
  )
})

test.each(kinds)('#80 any bytes and any JSON for a %s', (_what, _encoded, readAndWrite) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.json(), (given, json) => {
      feed(readAndWrite, given)
      feed(readAndWrite, utf8Bytes(`${json}\n`))
    }),
    { numRuns: runs },
  )
})
