// SPDX-License-Identifier: Apache-2.0
import { Certificate } from '../../x509/certificate.ts'
import { validateRoot } from '../../x509/path.ts'
import { readPemChain } from '../../x509/pem.ts'

/** A root of a maker of TPMs. */
export interface EkRoot {
  readonly der: Uint8Array
  /** As the certificate says it: a text from outside. */
  readonly subject: string
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex: what a policy's `ekRoots` names. */
  readonly spkiSha256: string
  readonly notAfterMs: number
}

/** Certificates of a file: PEM, or one in DER. @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID` */
export function readCertificates(bytes: Uint8Array): readonly Certificate[] {
  return bytes[0] === 0x30 ? [new Certificate(bytes)] : readPemChain(bytes)
}

function toEkRoot({ der, parsed, spkiSha256, notAfterMs }: Certificate): EkRoot {
  return { der, subject: parsed.subject, spkiSha256, notAfterMs }
}

/**
 * Reads roots that somebody wants to trust: certificates of authorities that sign themselves, and could end a chain now.
 * @param bytes PEM, or one certificate in DER
 * @throws AttestationError as `validateRoot` does: all are accepted, or none
 */
export async function readEkRoots(bytes: Uint8Array, nowMs: number): Promise<readonly EkRoot[]> {
  const certificates = readCertificates(bytes)
  for (const it of certificates) await validateRoot(it, nowMs)
  return certificates.map(toEkRoot)
}

/** Shows a root that was accepted before, also one whose time has run out since. @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID` */
export function describeEkRoot(der: Uint8Array): EkRoot {
  return toEkRoot(new Certificate(der))
}
