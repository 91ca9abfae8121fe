// SPDX-License-Identifier: Apache-2.0
import { sha256, toHex } from '@mlcapsule/crypto'
import { verifyCoseSign1 } from '../../cose/sign1.ts'
import { AttestationError } from '../../errors.ts'
import type { UnboundEvidence } from '../../evidence/report-data.ts'
import { Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { validatePath } from '../../x509/path.ts'
import type { NitroDocument } from './layout.ts'
import { type NitroTrustStore, nitroPlatform } from './trust-store.ts'

/** What a policy can rule about. Byte strings are lower-case hex; null where the enclave gave none. */
export interface NitroClaims {
  readonly moduleId: string
  readonly timestampMs: number
  /** How long before the verification the document says it was made; negative where its clock is ahead. */
  readonly timestampAgeMs: number
  /** By index, as text. */
  readonly pcrs: Readonly<Record<string, string>>
  readonly publicKey: string | null
  readonly userData: string | null
  readonly nonce: string | null
}

export interface VerifyNitroContext {
  readonly nowMs: number
  readonly trustStore: NitroTrustStore
}

/**
 * Checks all of a document but whom it was made for: the chain of its key to AWS's root at this time, and the signature.
 * AWS publishes no lists of revoked certificates; the certificate of a module lives for some three hours.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_*`, `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_SIGNATURE_INVALID`
 * @see AWS Nitro Enclaves NSM API, attestation process, §3
 */
export async function verifyNitro(
  document: NitroDocument,
  { nowMs, trustStore }: VerifyNitroContext,
): Promise<UnboundEvidence<NitroClaims>> {
  const [leaf, ...issuers] = [document.certificate, ...[...document.cabundle].reverse()].map(
    (it) => new Certificate(it),
  )
  const root = issuers.at(-1)
  if (leaf === undefined || root === undefined) throw invalidCertificate('a document brings its root')
  const rootSha256 = toHex(sha256(root.der))
  if (!trustStore.roots.includes(rootSha256)) {
    const detail = `root ${root.commonName} with certificate ${rootSha256} is not trusted`
    throw new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'certificate' })
  }
  const signed = verifyCoseSign1(document.message, leaf.spki)
  const chain = [leaf, ...issuers]
  await validatePath({ chain, anchors: [root.spkiSha256], nowMs, revocation: 'unchecked' })
  if (!leaf.maySignData) throw invalidCertificate('the certificate of the module is not for signatures')
  if (!(await signed)) {
    const detail = 'the document is not signed by the key of its certificate'
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', detail, { field: 'evidence' })
  }
  const claims = claimsOf(document, nowMs)
  return {
    reportData: document.userData,
    unbound: {
      platform: nitroPlatform,
      rootKind: 'hardware',
      tier: 'nitro',
      root: rootSha256,
      manifestSha384: null,
      measurement: Object.fromEntries(Object.entries(claims.pcrs).map(([at, it]) => [`pcr${at}`, it])),
      debug: isDebug(document),
      tcbStatus: 'none',
      advisoryIds: [],
      producedAtMs: document.timestampMs,
      // Not the timestamp: a module's clock may be ahead of ours, and evidence after it would be refused.
      newestSignedAtMs: leaf.notBeforeMs,
      claims,
    },
  }
}

/** An enclave that runs for debugging has no measurement of its image, kernel and application. */
function isDebug({ pcrs }: NitroDocument): boolean {
  return [0, 1, 2].every((index) => pcrs.get(index)?.every((it) => it === 0) === true)
}

function claimsOf(document: NitroDocument, nowMs: number): NitroClaims {
  const { moduleId, timestampMs, pcrs } = document
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : toHex(bytes))
  return {
    moduleId,
    timestampMs,
    timestampAgeMs: nowMs - timestampMs,
    pcrs: Object.fromEntries([...pcrs].map(([index, it]) => [String(index), toHex(it)])),
    publicKey: hex(document.publicKey),
    userData: hex(document.userData),
    nonce: hex(document.nonce),
  }
}
