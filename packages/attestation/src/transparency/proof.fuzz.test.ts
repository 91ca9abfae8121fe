// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isAttestationError } from '../../test/errors.ts'
import { decodeLogProof, encodeLogProof, type LogProof } from './proof.ts'

const runs = process.env.SLOW === '1' ? 250_000 : 500
const hash = (fill: number) => new Uint8Array(32).fill(fill)
const proof: LogProof = {
  head: 'a.b.c',
  index: 5,
  path: [hash(1), hash(2)],
  since: { head: 'd.e.f', path: [hash(3)] },
}
const text = encodeLogProof(proof)

/** Every proof is refused with a code, or comes back when it is written and read again. */
function feed(changed: string): void {
  try {
    const read = decodeLogProof(utf8Bytes(changed))
    expect(decodeLogProof(utf8Bytes(encodeLogProof(read)))).toEqual(read)
  } catch (error) {
    if (!isAttestationError(error)) throw error
  }
}

test('#80 any edit of a proof', () => {
  const place = fc.nat({ max: text.length })
  fc.assert(
    fc.property(place, fc.nat({ max: 8 }), fc.string({ maxLength: 8 }), (at, remove, insert) => {
      feed(text.slice(0, at) + insert + text.slice(at + remove))
    }),
    { numRuns: runs },
  )
})

test('#80 any JSON', () => {
  fc.assert(fc.property(fc.json(), feed), { numRuns: runs })
})
