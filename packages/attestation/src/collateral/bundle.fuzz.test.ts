// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAttestationError } from '../../test/errors.ts'
import { decodeBundle, encodeBundle } from './bundle.ts'

const runs = process.env.SLOW === '1' ? 250_000 : 500
const items = new Map([
  ['intel/root-crl', Uint8Array.of(0x30, 0)],
  ['amd/crl/vcek/Milan', Uint8Array.of(1, 2, 3)],
])
const text = new TextDecoder().decode(encodeBundle(items))

/** Every bundle is refused with a code, or is the one way to write what it holds. */
function feed(bytes: Uint8Array): void {
  try {
    expect(encodeBundle(decodeBundle(bytes))).toEqual(bytes)
  } catch (error) {
    if (!isAttestationError(error)) throw error
  }
}

test('#80 any edit of a bundle', () => {
  const place = fc.nat({ max: text.length })
  fc.assert(
    fc.property(place, fc.nat({ max: 8 }), fc.string({ maxLength: 8 }), (at, remove, insert) => {
      feed(utf8Bytes(text.slice(0, at) + insert + text.slice(at + remove)))
    }),
    { numRuns: runs },
  )
})

test('#80 any bytes', () => {
  const start = utf8Bytes(text.slice(0, 30))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, follows) => {
      feed(follows ? Uint8Array.of(...start, ...bytes) : bytes)
    }),
    { numRuns: runs },
  )
})
