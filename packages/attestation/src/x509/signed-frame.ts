// SPDX-License-Identifier: Apache-2.0
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { derTags, readTlvs } from './tlv.ts'

/** 1.2.840.10045.4, under which all ECDSA signature algorithms stand. */
const ecdsaOidPrefix = '2a8648ce3d04'

/**
 * Checks what stands around the signed part of a certificate or a revocation list, which no signature protects and the
 * library reads leniently: nothing there can be changed without a refusal. The algorithm is named twice, outside and
 * inside, and has to be the same; an ECDSA signature is two numbers in DER.
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1.1, §5.1.1; RFC 3279 §2.2.3
 */
export function assertSignedFrame(der: Uint8Array, refuse: (detail: string) => Error): void {
  const [outer] = readTlvs(der, refuse)
  const [signed, algorithm, signature, ...more] = readTlvs(outer?.value ?? der, refuse)
  if (
    signed?.tag !== derTags.sequence ||
    algorithm?.tag !== derTags.sequence ||
    signature?.tag !== derTags.bitString ||
    more.length > 0
  ) {
    throw refuse('is not something signed, its algorithm and a signature')
  }
  const inside = readTlvs(signed.value, refuse).find(({ tag }) => tag === derTags.sequence)
  if (inside === undefined || !equalBytes(inside.value, algorithm.value)) {
    throw refuse('names one algorithm inside and another outside')
  }
  const [unusedBits, ...bytes] = signature.value
  if (unusedBits !== 0) throw refuse('has a signature that does not end with a byte')
  const oid = readTlvs(algorithm.value, refuse)[0]
  if (oid?.tag === derTags.oid && toHex(oid.value).startsWith(ecdsaOidPrefix)) {
    assertTwoNumbers(Uint8Array.from(bytes), refuse)
  }
}

function assertTwoNumbers(signature: Uint8Array, refuse: (detail: string) => Error): void {
  const [pair, ...after] = readTlvs(signature, refuse)
  const numbers = pair?.tag === derTags.sequence ? readTlvs(pair.value, refuse) : []
  // Positive, and without a leading zero that is not needed.
  const areNumbers = numbers.every(({ tag, value: [first = 0x80, second = 0x80] }) => {
    return tag === derTags.integer && first < 0x80 && (first > 0 || second >= 0x80)
  })
  if (after.length > 0 || numbers.length !== 2 || !areNumbers) {
    throw refuse('has a signature that is not two numbers in DER')
  }
}
