// SPDX-License-Identifier: Apache-2.0
import type { Certificate } from './certificate.ts'

const strongHashes: readonly string[] = ['SHA-256', 'SHA-384', 'SHA-512']
const rsaMinBits = 2048

/** Whether signatures over this hash, by its name in WebCrypto, hold against those who can choose what is signed. */
export function isStrongHash(name: string): boolean {
  return strongHashes.includes(name)
}

/** What is weak about a certificate's key; null where nothing is. */
export function weaknessOfKey({ parsed }: Certificate): string | null {
  const { modulusLength = rsaMinBits } = parsed.publicKey.algorithm as Partial<RsaKeyAlgorithm>
  return modulusLength < rsaMinBits ? `has an RSA key of ${modulusLength} bits` : null
}

/** What is weak about the signature on a certificate; null where nothing is. */
export function weaknessOfSignature({ parsed }: Certificate): string | null {
  const { name } = parsed.signatureAlgorithm.hash
  return isStrongHash(name) ? null : `is signed over ${name}`
}
