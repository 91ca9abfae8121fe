// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttestationError } from '../../../errors.ts'
import { attestationRequest, documentOf } from './messages.ts'

const runs = process.env.SLOW === '1' ? 300_000 : 3_000

describe('messages to the Nitro security module', () => {
  test('a request is this CBOR', () => {
    // {"Attestation": {"nonce": null, "user_data": h'0102', "public_key": null}}
    expect(toHex(attestationRequest(Uint8Array.of(1, 2)))).toBe(
      'a16b4174746573746174696f6ea3656e6f6e6365f669757365725f646174614201026a7075626c69635f6b6579f6',
    )
  })

  test.each([
    ['of known length', 'a16b4174746573746174696f6ea168646f63756d656e7443010203'],
    ['of unknown length', 'bf6b4174746573746174696f6ebf68646f63756d656e7443010203ffff'],
  ])('the document is taken from an answer %s', (_kind, hex) => {
    expect(toHex(documentOf(fromHex(hex)))).toBe('010203')
  })

  test.each([
    ['nothing', ''],
    ['a refusal', 'a1654572726f726f496e76616c6964417267756d656e74'],
    ['an empty document', 'a16b4174746573746174696f6ea168646f63756d656e7440'],
    ['a document in text', 'a16b4174746573746174696f6ea168646f63756d656e7463616263'],
    ['bytes after it', 'a16b4174746573746174696f6ea168646f63756d656e744301020300'],
    ['two answers in one', 'a2616101' + '6b4174746573746174696f6ea168646f63756d656e7443010203'],
    [
      'the same key twice',
      'a16b4174746573746174696f6ea268646f63756d656e74430102' + '0368646f63756d656e7443010203',
    ],
    ['a list', '80'],
    ['what ends early', 'a16b4174746573746174696f6ea168646f63756d656e7443'],
  ])('%s is no document', (_what, hex) => {
    expect(() => documentOf(fromHex(hex))).toThrow(
      expect.objectContaining({ code: 'ATTESTATION_DEVICE_FAILED' }),
    )
  })

  test('whatever the module says, it is a document or a coded error', () => {
    const answer = fromHex('a16b4174746573746174696f6ea168646f63756d656e7443010203')
    const changed = fc
      .tuple(fc.nat(answer.length - 1), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => answer.with(at, byte))
    fc.assert(
      fc.property(fc.oneof(changed, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        try {
          expect(documentOf(bytes).length).toBeGreaterThan(0)
        } catch (error) {
          if (!(error instanceof AttestationError)) throw error
          expect(error.code).toBe('ATTESTATION_DEVICE_FAILED')
        }
      }),
      { numRuns: runs },
    )
  })
})
