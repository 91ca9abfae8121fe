// SPDX-License-Identifier: Apache-2.0
import { type Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { readPemChain } from '../../x509/pem.ts'
import { type PckExtension, readPckExtension } from './pck-extension.ts'

/** Which of Intel's two authorities made a PCK certificate; each has a revocation list of its own. */
export type PckAuthority = 'processor' | 'platform'

const authorities: ReadonlyMap<string, PckAuthority> = new Map([
  ['Intel SGX PCK Processor CA', 'processor'],
  ['Intel SGX PCK Platform CA', 'platform'],
])

/** The chain of a platform's certificate as read: nothing of it is trusted yet. */
export interface PckChain {
  /** Leaf, authority, root. */
  readonly certificates: readonly Certificate[]
  readonly leaf: Certificate
  readonly root: Certificate
  readonly authority: PckAuthority
  readonly extension: PckExtension
}

/**
 * Reads a chain out of a quote.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
 * @see Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, §1.3
 */
export function readPckChain(pem: Uint8Array): PckChain {
  const certificates = readPemChain(pem)
  const [leaf, , root] = certificates
  if (leaf === undefined || root === undefined || certificates.length !== 3) {
    throw invalidCertificate(`the chain of a PCK certificate has 3 certificates, not ${certificates.length}`)
  }
  const authority = authorities.get(leaf.issuerCommonName)
  if (leaf.commonName !== 'Intel SGX PCK Certificate' || authority === undefined) {
    throw invalidCertificate(`${leaf.commonName} by ${leaf.issuerCommonName} is not a PCK certificate`)
  }
  return { certificates, leaf, root, authority, extension: readPckExtension(leaf) }
}
