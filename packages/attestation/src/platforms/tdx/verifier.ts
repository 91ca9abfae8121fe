// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { type UnboundEvidence, verifyBy } from '../../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext, VerifiedEvidence } from '../../evidence/verifier.ts'
import { commonClaims, type TcbEvaluation, unionOf } from '../dcap/claims.ts'
import { parseTdxQuote, type TdxQuote } from '../dcap/quote.ts'
import type { TdReportBody } from '../dcap/report-bodies.ts'
import { selectTcbLevel } from '../dcap/tcb-level.ts'
import { assertNotRevoked, mergeStatus } from '../dcap/tcb-status.ts'
import { type IntelTrustStore, intelRootSpkiSha256 } from '../dcap/trust-store.ts'
import { verifiedEvidence } from '../dcap/verified.ts'
import { collateralNamesOf, type GenuineQuote, verifyQuote } from '../dcap/verify-quote.ts'
import { debugFlags, type TdxClaims, tdBodyClaims } from './claims.ts'
import { tdxRules } from './rules.ts'
import { statusWithRelaunch } from './td-relaunch.ts'
import { checkTdxModule } from './tdx-module.ts'

const platform = 'tdx'

export type TdxTrustStore = IntelTrustStore<'tdx'>

/** @param rootSpkiSha256s Intel's root where it is left out: name others in tests alone */
export function tdxTrustStore(rootSpkiSha256s: readonly string[] = [intelRootSpkiSha256]): TdxTrustStore {
  return { platform, rootKind: 'hardware', rootSpkiSha256s }
}

async function examine(
  { bytes }: Evidence,
  context: ExamineContext<TdxTrustStore>,
): Promise<UnboundEvidence<TdxClaims>> {
  const quote = parseTdxQuote(bytes)
  return { reportData: quote.body.reportData, unbound: await verifyParsed(quote, context) }
}

async function verifyParsed(
  quote: TdxQuote,
  context: ExamineContext<TdxTrustStore>,
): Promise<VerifiedEvidence<TdxClaims>> {
  const genuine = await verifyQuote(platform, quote, context)
  const tcb = evaluateTcb(quote.body, genuine)
  const claims = { ...commonClaims(quote, genuine, tcb), ...tdBodyClaims(quote.body) }
  return verifiedEvidence(platform, genuine, {
    claims,
    measurement: {
      mrTd: claims.mrTd,
      rtmr0: claims.rtmr0,
      rtmr1: claims.rtmr1,
      rtmr2: claims.rtmr2,
      rtmr3: claims.rtmr3,
      mrSeam: claims.mrSeam,
      mrConfigId: claims.mrConfigId,
      mrOwner: claims.mrOwner,
      mrOwnerConfig: claims.mrOwnerConfig,
      ...(claims.mrServiceTd === null ? {} : { mrServiceTd: claims.mrServiceTd }),
    },
    debug: claims.flags.some((it) => debugFlags.includes(it)),
  })
}

function evaluateTcb(body: TdReportBody, { pck, tcbInfo, qeLevel }: GenuineQuote<'tdx'>): TcbEvaluation {
  const level = selectTcbLevel(tcbInfo.tcbLevels, pck.extension, body.teeTcbSvn)
  const module = checkTdxModule(tcbInfo, body)
  const platformStatus = assertNotRevoked(level.tcbStatus, "this state of the platform's firmware")
  const moduleStatus = assertNotRevoked(module?.level.tcbStatus ?? 'UpToDate', 'this TDX module')
  const qeStatus = assertNotRevoked(qeLevel.tcbStatus, 'this quoting enclave')
  const launched = mergeStatus(platformStatus, moduleStatus)
  const relaunched =
    body.teeTcbSvn2 === null
      ? launched
      : statusWithRelaunch({
          tcbInfo,
          teeTcbSvn2: body.teeTcbSvn2,
          sgxStatus: selectTcbLevel(tcbInfo.tcbLevels, pck.extension, null).tcbStatus,
          tdxStatus: launched,
          moduleStatus,
          qeStatus,
        })
  return {
    status: mergeStatus(relaunched, qeStatus),
    platformStatus,
    qeStatus,
    module: module === null ? null : { id: module.id, status: moduleStatus },
    tcbDateMs: level.tcbDate,
    advisoryIds: unionOf(level.advisoryIDs, module?.level.advisoryIDs ?? [], qeLevel.advisoryIDs),
  }
}

/** Checks evidence of trust domains: quotes of version 4, and of 5 with a TD body, by Intel's quoting enclave. */
export const tdxVerifier: EvidenceVerifier<TdxTrustStore, TdxClaims> & { readonly name: 'tdx' } = {
  kind: 'verifier',
  name: platform,
  version: 1,
  rules: tdxRules,
  identifyingRegisters: [['mrTd', 'rtmr0', 'rtmr1', 'rtmr2']],
  collateralNames: ({ bytes }) => collateralNamesOf(platform, parseTdxQuote(bytes)),
  examine,
  verify: verifyBy(examine),
}
