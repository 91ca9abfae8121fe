// SPDX-License-Identifier: Apache-2.0
import { equalBytes, sha256, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { certificateParts } from './certificate-parts.ts'
import { assertDerSize } from './der.ts'
import { type CertificateExtension, readExtensions } from './extensions.ts'
import { KeyUsageFlags, X509Certificate } from './library.ts'
import { assertSignedFrame } from './signed-frame.ts'

/** No certificate of a vendor's chain is longer. */
const certificateMaxSizeBytes = 8192

const commonNameOid = '2.5.4.3'

export function invalidCertificate(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_CERTIFICATE_INVALID', detail, { field: 'certificate', cause })
}

/** A certificate that has been read. Nothing of it is trusted before `validatePath` has accepted its chain. */
export class Certificate {
  readonly der: Uint8Array<ArrayBuffer>
  /** DER of the names: chains are compared byte by byte. */
  readonly subjectDer: Uint8Array
  readonly issuerDer: Uint8Array
  readonly commonName: string
  readonly issuerCommonName: string
  /** Lower-case hex, as encoded. */
  readonly serial: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly isCa: boolean
  /** How many further CA certificates may follow; null where there is no limit. */
  readonly pathLength: number | null
  /** Flags of RFC 5280 §4.2.1.3; null where the extension is absent. */
  readonly keyUsage: number | null
  /** Critical extensions that no code here knows. */
  readonly unknownCritical: readonly string[]
  readonly spki: Uint8Array<ArrayBuffer>
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex: how roots are pinned. */
  readonly spkiSha256: string
  readonly #parsed: X509Certificate
  readonly #extensions: ReadonlyMap<string, CertificateExtension>

  /**
   * @param der one certificate and nothing else, at most 8,192 bytes
   * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
   * @see RFC 5280 §4
   */
  constructor(der: Uint8Array) {
    assertDerSize(der, certificateMaxSizeBytes, 'a certificate', invalidCertificate)
    assertSignedFrame(der, (detail) => invalidCertificate(`a certificate: ${detail}`))
    this.der = new Uint8Array(der)
    const { issuer, subject, spki } = certificateParts(this.der, invalidCertificate)
    this.subjectDer = subject
    this.issuerDer = issuer
    this.spki = new Uint8Array(spki)
    this.spkiSha256 = toHex(sha256(this.spki))
    try {
      const parsed = new X509Certificate(this.der)
      this.#parsed = parsed
      // The key that is pinned and the key that verifies have to be one, however the two readers take odd encodings.
      if (!equalBytes(new Uint8Array(parsed.publicKey.rawData), this.spki)) {
        throw invalidCertificate('a certificate has a key that is not in DER')
      }
      this.commonName = parsed.subjectName.getField(commonNameOid).join('/')
      this.issuerCommonName = parsed.issuerName.getField(commonNameOid).join('/')
      this.serial = parsed.serialNumber.toLowerCase()
      this.notBeforeMs = parsed.notBefore.getTime()
      this.notAfterMs = parsed.notAfter.getTime()
      // Ours, since the library takes as long for them as for all the rest.
      const extensions = readExtensions(this.der, invalidCertificate)
      this.#extensions = extensions.byOid
      this.unknownCritical = extensions.unknownCritical
      this.isCa = extensions.isCa
      this.pathLength = extensions.pathLength
      this.keyUsage = extensions.keyUsage
    } catch (cause) {
      if (cause instanceof AttestationError) throw cause
      throw invalidCertificate('a certificate is not X.509 in DER', cause)
    }
    if (!Number.isFinite(this.notBeforeMs) || !Number.isFinite(this.notAfterMs)) {
      throw invalidCertificate(`certificate ${this.commonName} has no time of validity`)
    }
  }

  /** Value of an extension, without the octet string around it; null where it is absent. */
  extension(oid: string): Uint8Array<ArrayBuffer> | null {
    const value = this.#extensions.get(oid)?.value
    return value === undefined ? null : new Uint8Array(value)
  }

  /** Whether it may sign certificates; with `crl`, lists of revoked ones. A root of old may have no key usage. */
  maySign(what: 'certificates' | 'crl'): boolean {
    if (!this.isCa) return false
    const flag = what === 'crl' ? KeyUsageFlags.cRLSign : KeyUsageFlags.keyCertSign
    return this.keyUsage !== null && (this.keyUsage & flag) !== 0
  }

  get maySignData(): boolean {
    return this.keyUsage !== null && (this.keyUsage & KeyUsageFlags.digitalSignature) !== 0
  }

  /** Whether secrets may be sealed to its key. */
  get mayTakeSecrets(): boolean {
    const flags = KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyAgreement
    return this.keyUsage !== null && (this.keyUsage & flags) !== 0
  }

  equals(other: Certificate): boolean {
    return equalBytes(this.der, other.der)
  }

  /** Whether `issuer`'s key made the signature, whatever the names say. */
  async isSignedBy(issuer: Certificate): Promise<boolean> {
    try {
      return await this.#parsed.verify({ publicKey: issuer.#parsed.publicKey, signatureOnly: true })
    } catch {
      // An algorithm that WebCrypto does not know, or one that does not fit the key.
      return false
    }
  }

  /** For checks that need the library's own form, such as those of revocation lists. */
  get parsed(): X509Certificate {
    return this.#parsed
  }
}
