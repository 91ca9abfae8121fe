// SPDX-License-Identifier: Apache-2.0
import { type Collateral, requireCollateral } from '../../collateral/collateral.ts'
import { verifyEcdsa } from '../../ecdsa/ecdsa.ts'
import { AttestationError } from '../../errors.ts'
import type { TrustStore } from '../../evidence/verifier.ts'
import { Certificate } from '../../x509/certificate.ts'
import { validatePath } from '../../x509/path.ts'
import { RevocationList } from '../../x509/revocation-list.ts'
import { type SkeletonEvidence, type SkeletonReport, skeletonPlatform } from './layout.ts'

export interface SkeletonTrustStore extends TrustStore {
  readonly platform: 'skeleton'
  /** SHA-256 of the SubjectPublicKeyInfo of each root, lower-case hex. */
  readonly roots: readonly string[]
}

/**
 * A platform of a vendor has the vendor's root as its default here, pinned in the source. This one has no vendor.
 * @param roots SHA-256 of the SubjectPublicKeyInfo of each root, lower-case hex
 */
export function skeletonTrustStore(roots: readonly string[]): SkeletonTrustStore {
  return { platform: skeletonPlatform, rootKind: 'hardware', roots }
}

export interface SkeletonContext {
  readonly nowMs: number
  readonly trustStore: SkeletonTrustStore
  readonly collateral: Collateral
}

/** A report that the platform made; for whom, nobody has asked yet. */
export interface GenuineReport {
  readonly report: SkeletonReport
  /** SHA-256 of the root's SubjectPublicKeyInfo. */
  readonly root: string
}

/** Lists of revoked certificates, one of each authority: of as many as the chain has certificates below the root. */
export function revocationListNames(certificateCount: number): readonly string[] {
  return Array.from({ length: certificateCount - 1 }, (_, index) => `skeleton/crl/${index + 1}`)
}

/**
 * Checks all but the report data: chain to a pinned root, revocation of every certificate below it, signature.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_*`, `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_COLLATERAL_MISSING`,
 * `ATTESTATION_REVOCATION_UNKNOWN`, `ATTESTATION_SIGNATURE_INVALID`
 */
export async function verifySkeletonReport(
  evidence: SkeletonEvidence,
  { nowMs, trustStore, collateral }: SkeletonContext,
): Promise<GenuineReport> {
  const chain = evidence.chain.map((der) => new Certificate(der))
  const lists = revocationListNames(chain.length).map(
    (name) => new RevocationList(requireCollateral(collateral, name)),
  )
  await validatePath({ chain, anchors: trustStore.roots, nowMs, revocation: { lists, covers: 'all' } })
  const [leaf, root] = [chain[0], chain.at(-1)] as [Certificate, Certificate]
  if (!(await verifyEcdsa('P-256', leaf, evidence.signature, evidence.reportBytes))) {
    const detail = `the key of ${leaf.commonName} did not sign the report`
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', detail, { field: 'evidence.signature' })
  }
  return { report: evidence.report, root: root.spkiSha256 }
}
