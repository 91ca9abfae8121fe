// SPDX-License-Identifier: Apache-2.0
import { Certificate, invalidCertificate } from './certificate.ts'

/** No chain of a vendor is longer. */
const certificatesMaxCount = 8
const pemMaxSizeBytes = 65_536

/**
 * Certificates of a PEM text, in its order. A zero byte may end it, as in Intel's quotes; nothing else may stand between.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
 * @see RFC 7468 §5.1
 */
export function readPemChain(pem: string | Uint8Array): readonly Certificate[] {
  if (pem.length > pemMaxSizeBytes) throw invalidCertificate(`a chain has more than ${pemMaxSizeBytes} bytes`)
  const text = (typeof pem === 'string' ? pem : new TextDecoder().decode(pem)).replace(/\0+$/, '')
  const blocks = [
    ...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g),
  ]
  const around = text.replace(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g, '')
  if (around.trim() !== '' || blocks.length === 0)
    throw invalidCertificate('a chain is not certificates in PEM')
  if (blocks.length > certificatesMaxCount) {
    throw invalidCertificate(
      `a chain has ${blocks.length} certificates, at most ${certificatesMaxCount} are read`,
    )
  }
  return blocks.map(([, body]) => new Certificate(fromBase64(body as string)))
}

function fromBase64(body: string): Uint8Array {
  try {
    return Uint8Array.from(atob(body.replace(/\s+/g, '')), (it) => it.charCodeAt(0))
  } catch (cause) {
    throw invalidCertificate('a certificate is not base64', cause)
  }
}
