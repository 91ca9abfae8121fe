// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { Certificate, invalidCertificate } from './certificate.ts'

/** No chain of a vendor is longer. */
const certificatesMaxCount = 8
const pemMaxSizeBytes = 65_536

/**
 * Certificates of a PEM text, in its order. A zero byte may end it, as in Intel's quotes; nothing else may stand between.
 * @param known certificates that have been read before: those of the text that are the same are not read again
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
 * @see RFC 7468 §5.1
 */
export function readPemChain(
  pem: string | Uint8Array,
  known: readonly Certificate[] = [],
): readonly Certificate[] {
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
  return blocks.map(([, body]) => {
    const der = fromBase64(body as string)
    return known.find((it) => equalBytes(it.der, der)) ?? new Certificate(der)
  })
}

function fromBase64(body: string): Uint8Array {
  try {
    return Uint8Array.from(atob(body.replace(/\s+/g, '')), (it) => it.charCodeAt(0))
  } catch (cause) {
    throw invalidCertificate('a certificate is not base64', cause)
  }
}
