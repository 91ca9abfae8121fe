// SPDX-License-Identifier: Apache-2.0

import { verifyEcdsa } from '../../ecdsa/ecdsa.ts'
import { AttestationError } from '../../errors.ts'
import type { ExamineContext } from '../../evidence/verifier.ts'
import { dcapCollateralNames, type VerifiedCollateral, verifyPlatform } from './collateral.ts'
import { inOrder } from './in-order.ts'
import type { IsvSvnLevel } from './json-fields.ts'
import { type PckChain, readPckChain } from './pck-chain.ts'
import type { DcapQuote, Tee } from './quote.ts'
import { checkQuotingEnclave } from './quoting-enclave.ts'
import type { IntelTrustStore } from './trust-store.ts'

/** All that holds of a quote but for the levels of its platform, and whom it was made for. */
export interface GenuineQuote<Platform extends Tee> extends VerifiedCollateral<Platform> {
  readonly pck: PckChain
  /** Level of the quoting enclave. */
  readonly qeLevel: IsvSvnLevel
}

/** Names of the collateral that `verifyQuote` asks for: one set. */
export function collateralNamesOf(tee: Tee, quote: DcapQuote<unknown>): readonly (readonly string[])[] {
  return [Object.values(dcapCollateralNames(tee, readPckChain(quote.pckChainPem)))]
}

/**
 * Checks that a quote is genuine: collateral and chain, then the quoting enclave, then the signature over header and body.
 * @throws AttestationError `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_CERTIFICATE_*`, `ATTESTATION_REVOCATION_UNKNOWN`,
 * `ATTESTATION_COLLATERAL_*`, `ATTESTATION_SIGNATURE_INVALID`, `ATTESTATION_ENDORSEMENT_MISMATCH`,
 * `ATTESTATION_TCB_REVOKED`
 * @see Intel SGX DCAP Quote Verification Library, "Verification flow"
 */
export async function verifyQuote<Platform extends Tee>(
  tee: Platform,
  quote: DcapQuote<unknown>,
  context: ExamineContext<IntelTrustStore>,
): Promise<GenuineQuote<Platform>> {
  const pck = readPckChain(quote.pckChainPem)
  const platform = verifyPlatform(tee, pck, context)
  const checkQe = async () => checkQuotingEnclave(quote, (await platform).qeIdentity)
  const [collateral, , qeLevel] = await inOrder([
    platform,
    assertSigned(
      'the report of the quoting enclave is not signed by the PCK certificate',
      verifyEcdsa('P-256', { spki: pck.leaf.spki }, quote.qeReportSignature, quote.qeReportBytes),
    ),
    checkQe(),
    assertSigned(
      'header and body are not signed by the attestation key',
      verifyEcdsa('P-256', { point: quote.attestationKey }, quote.signature, quote.signedBytes),
    ),
  ])
  return { ...collateral, pck, qeLevel }
}

async function assertSigned(detail: string, holds: Promise<boolean>): Promise<void> {
  if (await holds) return
  throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', detail, { field: 'evidence' })
}
