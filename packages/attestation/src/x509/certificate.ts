// SPDX-License-Identifier: Apache-2.0
import { equalBytes, sha256, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { assertDerSize, assertSignedForm, certificateParts } from './der.ts'
import { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509Certificate } from './library.ts'

/** No certificate of a vendor's chain is longer. */
const certificateMaxSizeBytes = 8192

const basicConstraintsOid = '2.5.29.19'
const keyUsageOid = '2.5.29.15'
const commonNameOid = '2.5.4.3'
/** Beside the two above: the extensions that the path validator may ignore though they are critical. */
const understood: ReadonlySet<string> = new Set([basicConstraintsOid, keyUsageOid])

export function invalidCertificate(detail: string, cause?: unknown): AttestationError {
  const options = cause === undefined ? {} : { cause }
  return new AttestationError('ATTESTATION_CERTIFICATE_INVALID', detail, { field: 'certificate', ...options })
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
  readonly #extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>

  /**
   * @param der one certificate and nothing else, at most 8,192 bytes
   * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
   * @see RFC 5280 §4
   */
  constructor(der: Uint8Array) {
    assertDerSize(der, certificateMaxSizeBytes, 'a certificate', invalidCertificate)
    assertSignedForm(der, 'a certificate', invalidCertificate)
    this.der = new Uint8Array(der)
    const { issuer, subject, spki } = certificateParts(this.der, invalidCertificate)
    this.subjectDer = subject
    this.issuerDer = issuer
    this.spki = new Uint8Array(spki)
    this.spkiSha256 = toHex(sha256(spki))
    try {
      const parsed = new X509Certificate(this.der)
      this.#parsed = parsed
      // The key that is pinned and the key that verifies have to be one, however the two readers take odd encodings.
      if (!equalBytes(new Uint8Array(parsed.publicKey.rawData), spki)) {
        throw invalidCertificate('a certificate has a key that is not in DER')
      }
      this.commonName = parsed.subjectName.getField(commonNameOid).join('/')
      this.issuerCommonName = parsed.issuerName.getField(commonNameOid).join('/')
      this.serial = parsed.serialNumber.toLowerCase()
      this.notBeforeMs = parsed.notBefore.getTime()
      this.notAfterMs = parsed.notAfter.getTime()
      const extensions = parsed.extensions
      this.#extensions = new Map(extensions.map((it) => [it.type, new Uint8Array(it.value)]))
      if (this.#extensions.size !== extensions.length) throw invalidCertificate('an extension comes twice')
      this.unknownCritical = extensions
        .filter(({ critical, type }) => critical && !understood.has(type))
        .map(({ type }) => type)
      const constraints = parsed.getExtension(BasicConstraintsExtension)
      this.isCa = constraints?.ca ?? false
      this.pathLength = constraints?.pathLength ?? null
      this.keyUsage = parsed.getExtension(KeyUsagesExtension)?.usages ?? null
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
    return this.#extensions.get(oid) ?? null
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
