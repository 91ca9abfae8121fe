// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { AttestationError } from '@mlcapsule/attestation'
import { verifyQuote } from '@mlcapsule/attestation/tpm'
import { expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCases } from './case.ts'
import { akOf, nonceOf, pcrsOf } from './cases/tpm.ts'

const reason = missing('attestation-vectors/tpm')
const cases = reason === null ? readCases(join(sharedDir, 'attestation-vectors')) : []
const genuine = cases.filter(
  ({ kind, expected }) =>
    kind === 'tpm' && expected.origin === 'real' && expected.verdict.evidence === 'accept',
)
const strideBytes = process.env.SLOW === '1' ? 1 : 37

/** Where the sizes of TPM2B fields and lists stand that have no fixed place: found from the structure itself. */
function sizeFields(attest: Uint8Array): readonly { readonly at: number; readonly sizeBytes: number }[] {
  const view = new DataView(attest.buffer, attest.byteOffset, attest.length)
  const signer = 6
  const extraData = signer + 2 + view.getUint16(signer)
  const banks = extraData + 2 + view.getUint16(extraData) + 8 + 4 + 4 + 1 + 8
  const digest = banks + 4 + 3 + view.getUint8(banks + 6)
  return [
    { at: signer, sizeBytes: 2 },
    { at: extraData, sizeBytes: 2 },
    { at: banks, sizeBytes: 4 },
    { at: banks + 6, sizeBytes: 1 },
    { at: digest, sizeBytes: 2 },
  ]
}

/** Little, nothing, the largest, and what is negative where a sign is read into it. */
const extremes = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]

function withNumber(bytes: Uint8Array, at: number, sizeBytes: number, value: number): Uint8Array {
  const changed = bytes.slice()
  for (let i = 0; i < sizeBytes; i++)
    changed[at + i] = Math.floor(value / 2 ** (8 * (sizeBytes - 1 - i))) & 0xff
  return changed
}

function* mutations(
  bytes: Uint8Array,
  fields: readonly { readonly at: number; readonly sizeBytes: number }[],
) {
  for (let at = 0; at < bytes.length; at += strideBytes)
    yield withNumber(bytes, at, 1, (bytes[at] ?? 0) ^ 0x20)
  for (const { at, sizeBytes } of fields) {
    for (const value of extremes) {
      const changed = withNumber(bytes, at, sizeBytes, value)
      if (changed.some((it, i) => it !== bytes[i])) yield changed
    }
  }
}

test('#1 #65 no change to a genuine quote is accepted, and each is refused with a code', async ({ skip }) => {
  skip(reason !== null, reason ?? '')
  expect(genuine).toHaveLength(3)
  for (const vector of genuine) {
    const input = {
      attest: vector.read('attest.bin'),
      signature: vector.read('signature.bin'),
      key: akOf(vector),
      pcrs: pcrsOf(vector),
      expectedNonce: nonceOf(vector),
    }
    const changed = [
      ...[...mutations(input.attest, sizeFields(input.attest))].map((attest) => ({ ...input, attest })),
      ...[...mutations(input.signature, [{ at: 4, sizeBytes: 2 }])].map((signature) => ({
        ...input,
        signature,
      })),
    ]
    expect(changed.length).toBeGreaterThan(40)
    let acceptedCount = 0
    for (const it of changed) {
      try {
        await verifyQuote(it)
        acceptedCount++
      } catch (error) {
        expect(error).toBeInstanceOf(AttestationError)
      }
    }
    expect(acceptedCount).toBe(0)
  }
})
