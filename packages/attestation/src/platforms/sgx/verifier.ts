// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { toHex } from '@mlcapsule/crypto'
import { type UnboundEvidence, verifyBy } from '../../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext, VerifiedEvidence } from '../../evidence/verifier.ts'
import { commonClaims, type TcbEvaluation, unionOf } from '../dcap/claims.ts'
import { parseSgxQuote, type SgxQuote } from '../dcap/quote.ts'
import { selectTcbLevel } from '../dcap/tcb-level.ts'
import { assertNotRevoked, mergeStatus } from '../dcap/tcb-status.ts'
import { type IntelTrustStore, intelRootSpkiSha256 } from '../dcap/trust-store.ts'
import { verifiedEvidence } from '../dcap/verified.ts'
import { collateralNamesOf, type GenuineQuote, verifyQuote } from '../dcap/verify-quote.ts'
import { type SgxClaims, sgxBodyClaims } from './claims.ts'
import { sgxRules } from './rules.ts'

const platform = 'sgx'

export type SgxTrustStore = IntelTrustStore<'sgx'>

/** @param rootSpkiSha256s Intel's root where it is left out: name others in tests alone */
export function sgxTrustStore(rootSpkiSha256s: readonly string[] = [intelRootSpkiSha256]): SgxTrustStore {
  return { platform, rootKind: 'hardware', rootSpkiSha256s }
}

async function examine(
  { bytes }: Evidence,
  context: ExamineContext<SgxTrustStore>,
): Promise<UnboundEvidence<SgxClaims>> {
  const quote = parseSgxQuote(bytes)
  return { reportData: quote.body.reportData, unbound: await verifyParsed(quote, context) }
}

async function verifyParsed(
  quote: SgxQuote,
  context: ExamineContext<SgxTrustStore>,
): Promise<VerifiedEvidence<SgxClaims>> {
  const genuine = await verifyQuote(platform, quote, context)
  const claims = { ...commonClaims(quote, genuine, evaluateTcb(genuine)), ...sgxBodyClaims(quote.body) }
  const { mrEnclave, mrSigner, isvProdId, isvSvn, flags } = claims
  return verifiedEvidence(platform, genuine, {
    claims,
    measurement: { mrEnclave, mrSigner, isvProdId: hexOfU16(isvProdId), isvSvn: hexOfU16(isvSvn) },
    debug: flags.includes('DEBUG'),
  })
}

function evaluateTcb({ pck, tcbInfo, qeLevel }: GenuineQuote<'sgx'>): TcbEvaluation {
  const level = selectTcbLevel(tcbInfo.tcbLevels, pck.extension, null)
  const platformStatus = assertNotRevoked(level.tcbStatus, "this state of the platform's firmware")
  const qeStatus = assertNotRevoked(qeLevel.tcbStatus, 'this quoting enclave')
  return {
    status: mergeStatus(platformStatus, qeStatus),
    platformStatus,
    qeStatus,
    module: null,
    tcbDateMs: level.tcbDate,
    advisoryIds: unionOf(level.advisoryIDs, qeLevel.advisoryIDs),
  }
}

/** Two bytes, big-endian: as a number is written. */
function hexOfU16(value: number): string {
  return toHex(Uint8Array.of(value >> 8, value & 0xff))
}

/**
 * Checks evidence of SGX enclaves: quotes of version 3, and of 4 and 5 with an SGX body, by Intel's quoting enclave.
 * `measurement` holds ISVPRODID and ISVSVN as four digits of hex.
 */
export const sgxVerifier: EvidenceVerifier<SgxTrustStore, SgxClaims> & { readonly name: 'sgx' } = {
  kind: 'verifier',
  name: platform,
  version: 1,
  rules: sgxRules,
  identifyingRegisters: [['mrEnclave']],
  collateralNames: ({ bytes }) => collateralNamesOf(platform, parseSgxQuote(bytes)),
  examine,
  verify: verifyBy(examine),
}
