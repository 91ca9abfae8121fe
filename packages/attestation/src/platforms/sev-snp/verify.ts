// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { type Collateral, requireCollateral } from '../../collateral/collateral.ts'
import { verifyEcdsa } from '../../ecdsa/ecdsa.ts'
import { AttestationError } from '../../errors.ts'
import type { UnboundEvidence } from '../../evidence/report-data.ts'
import type { VerifiedEvidence } from '../../evidence/verifier.ts'
import { type Revocation, validatePath } from '../../x509/path.ts'
import { RevocationList } from '../../x509/revocation-list.ts'
import { findChain } from './chain.ts'
import { claimsOf, type SevSnpClaims } from './claims.ts'
import { type EndorsementKeyInfo, readEndorsementKey } from './endorsement-key.ts'
import { crlName, type SevSnpEvidence } from './evidence.ts'
import type { SevSnpReport } from './layout.ts'
import { productOfName, type SevSnpProduct } from './product.ts'
import { tcbAtLeast, tcbByte, tcbOrder } from './tcb.ts'
import { type SevSnpTrustStore, sevSnpPlatform } from './trust-store.ts'

export interface VerifySevSnpContext {
  readonly nowMs: number
  readonly trustStore: SevSnpTrustStore
  readonly collateral: Collateral
}

/**
 * Checks all of a report but whom it was made for: the chain of its key to AMD's root of the product, revocation, whether
 * the key is that of this chip and this firmware, the signature, and the order of the firmware's versions.
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED`, `ATTESTATION_COLLATERAL_MISSING`,
 * `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_CERTIFICATE_*`, `ATTESTATION_REVOCATION_UNKNOWN`,
 * `ATTESTATION_ENDORSEMENT_MISMATCH`, `ATTESTATION_SIGNATURE_INVALID`
 * @see AMD 56860, ATTESTATION_REPORT; AMD 57230
 */
export async function verifySevSnp(
  evidence: SevSnpEvidence,
  context: VerifySevSnpContext,
): Promise<UnboundEvidence<SevSnpClaims>> {
  const { report } = evidence
  const { nowMs, trustStore, collateral } = context
  const { product, leaf, authority, root } = findChain(evidence, collateral)
  const lists =
    trustStore.revocation === 'unchecked'
      ? []
      : [new RevocationList(requireCollateral(collateral, crlName(report, product)))]
  // The authorities below the root have no lists of their own: AMD's tells of them alone.
  const revocation: Revocation | 'unchecked' =
    trustStore.revocation === 'unchecked' ? 'unchecked' : { lists, covers: 'issued-by-root' }
  const anchors = trustStore.rootKeys[product]
  // What comes of it is asked after the chain was accepted.
  const signed = verifyEcdsa('P-384', leaf, report.signature, report.signedBytes)
  await validatePath({ chain: [leaf, authority, root], anchors, nowMs, revocation })
  const key = readEndorsementKey(leaf)
  assertKeyKind(report, key)
  assertProduct(key, product)
  assertFirmware(report, key, product)
  if (!(await signed)) {
    const detail = 'the report is not signed by the key of its certificate'
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', detail, { field: 'evidence' })
  }
  const claims = claimsOf(report, product, key.cspId)
  assertOrderOfFirmware(claims)
  const { measurement, hostData, idKeyDigest } = claims
  const unbound: VerifiedEvidence<SevSnpClaims> = {
    platform: sevSnpPlatform,
    rootKind: 'hardware',
    tier: 'sev-snp',
    root: root.spkiSha256,
    manifestSha384: null,
    measurement: { measurement, hostData, idKeyDigest },
    debug: claims.policy.debug,
    tcbStatus: 'none',
    advisoryIds: [],
    newestSignedAtMs: Math.max(leaf.notBeforeMs, ...lists.map((it) => it.thisUpdateMs)),
    claims,
  }
  return { reportData: report.reportData, unbound }
}

function mismatch(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'evidence' })
}

/** A chip's key names the chip, a leased key its cloud; neither stands in for the other. */
function assertKeyKind(report: SevSnpReport, key: EndorsementKeyInfo): void {
  const { hardwareId, cspId } = key
  if (report.signingKey === 'vlek') {
    if (cspId === null || cspId === '' || hardwareId !== null) throw mismatch('the key is not a VLEK')
    return
  }
  if (hardwareId === null || cspId !== null) throw mismatch('the key is not a VCEK')
  // With a masked key the firmware signs nothing; a report that says both is not genuine.
  if (report.chipKeyMasked) throw mismatch("the report says that the chip's key is masked")
  const padded = new Uint8Array(report.chipId.length)
  padded.set(hardwareId)
  if (!equalBytes(padded, report.chipId)) throw mismatch('the report is of another chip than the key')
}

/** Turin's chips have identifiers of 8 bytes, those before it 64. */
function assertProduct({ productName, hardwareId }: EndorsementKeyInfo, product: SevSnpProduct): void {
  if (productOfName(productName) !== product) {
    throw mismatch(`the key is for ${productName}, its authority for ${product}`)
  }
  if (hardwareId !== null && hardwareId.length !== (product === 'Turin' ? 8 : 64)) {
    throw mismatch(`the chip has an identifier of ${hardwareId.length} bytes`)
  }
}

/** The key is derived from the firmware's versions: they have to be those that the report says, each of them. */
function assertFirmware(
  { reportedTcb }: SevSnpReport,
  { parts }: EndorsementKeyInfo,
  product: SevSnpProduct,
) {
  for (const [at, part] of tcbOrder[product].entries()) {
    const found = tcbByte(reportedTcb, at)
    const expected = part === null ? 0 : parts[part]
    if (found === expected) continue
    throw mismatch(`the report says ${part ?? 'reserved'} ${found}, its key is for ${expected ?? 'none'}`)
  }
}

function assertOrderOfFirmware({ reportedTcb, committedTcb, currentTcb }: SevSnpClaims): void {
  if (tcbAtLeast(committedTcb, reportedTcb) && tcbAtLeast(currentTcb, committedTcb)) return
  throw mismatch('the firmware reported is newer than what is committed, or that than what runs')
}
