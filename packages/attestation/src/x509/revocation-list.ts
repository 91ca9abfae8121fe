// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import type { Certificate } from './certificate.ts'
import { assertDerSize } from './der.ts'
import { X509Crl } from './library.ts'
import { assertWholeScope } from './revocation-scope.ts'
import { assertSignedFrame } from './signed-frame.ts'
import { isStrongHash } from './strength.ts'

/** Intel's longest list has some 100 KiB. */
const crlMaxSizeBytes = 1_048_576

function unknown(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('ATTESTATION_REVOCATION_UNKNOWN', detail, { field: 'crl', cause })
}

/** A list of revoked certificates that has been read. `assertNotRevoked` checks it each time that it is asked. */
export class RevocationList {
  readonly issuerDer: Uint8Array
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly #parsed: X509Crl

  /**
   * @param der one list and nothing else, at most 1 MiB
   * @throws AttestationError `ATTESTATION_REVOCATION_UNKNOWN`, also for a list without an end of validity, or with a critical extension
   * @see RFC 5280 §5
   */
  constructor(der: Uint8Array) {
    assertDerSize(der, crlMaxSizeBytes, 'a list of revoked certificates', unknown)
    const refuse = (detail: string) => unknown(`a list of revoked certificates: ${detail}`)
    assertSignedFrame(der, refuse)
    assertWholeScope(der, refuse)
    try {
      const parsed = new X509Crl(new Uint8Array(der))
      this.#parsed = parsed
      this.issuerDer = new Uint8Array(parsed.issuerName.toArrayBuffer())
      this.thisUpdateMs = parsed.thisUpdate.getTime()
      this.nextUpdateMs = parsed.nextUpdate?.getTime() ?? Number.NaN
    } catch (cause) {
      throw unknown('a list of revoked certificates is not DER', cause)
    }
    if (Number.isNaN(this.thisUpdateMs) || Number.isNaN(this.nextUpdateMs)) {
      throw unknown('a list of revoked certificates does not say until when it holds')
    }
  }

  isOf(issuer: Certificate): boolean {
    return equalBytes(this.issuerDer, issuer.subjectDer)
  }

  /**
   * @param issuer has been accepted; the list has to be its own
   * @throws AttestationError `ATTESTATION_REVOCATION_UNKNOWN`, `ATTESTATION_CERTIFICATE_REVOKED`
   */
  async assertNotRevoked(certificate: Certificate, issuer: Certificate, nowMs: number): Promise<void> {
    if (!this.isOf(issuer) || !issuer.maySign('crl')) {
      throw unknown(`the list is not that of ${issuer.commonName}`)
    }
    if (!(await this.#isSignedBy(issuer))) {
      throw unknown(`the list of ${issuer.commonName} is not signed by it`)
    }
    if (nowMs < this.thisUpdateMs || nowMs > this.nextUpdateMs) {
      const from = new Date(this.thisUpdateMs).toISOString()
      const until = new Date(this.nextUpdateMs).toISOString()
      throw unknown(`the list of ${issuer.commonName} holds from ${from} until ${until}`)
    }
    if (this.#parsed.findRevoked(certificate.parsed) === null) return
    const detail = `${issuer.commonName} has revoked certificate ${certificate.commonName}`
    throw new AttestationError('ATTESTATION_CERTIFICATE_REVOKED', detail, { field: 'certificate' })
  }

  async #isSignedBy(issuer: Certificate): Promise<boolean> {
    try {
      if (!isStrongHash(this.#parsed.signatureAlgorithm.hash.name)) return false
      return await this.#parsed.verify({ publicKey: issuer.parsed })
    } catch {
      return false
    }
  }
}
