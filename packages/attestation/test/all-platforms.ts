// SPDX-License-Identifier: Apache-2.0
import { cryptoReady, keyThumbprint } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import type { EvidenceVerifier, VerifyEvidenceInput } from '../src/evidence/verifier.ts'
import { nitroVerifier } from '../src/platforms/nitro/index.ts'
import { sevSnpVerifier } from '../src/platforms/sev-snp/index.ts'
import { sgxVerifier } from '../src/platforms/sgx/index.ts'
import { tdxVerifier } from '../src/platforms/tdx/index.ts'
import { tpmTrustStore, tpmVerifier } from '../src/platforms/tpm/verifier.ts'
import { tpmQualifyingData } from '../src/report/claims.ts'
import {
  createSimulatedRoot,
  simulatedAttester,
  simulatedTrustStore,
  simulatedVerifier,
} from '../src/simulated/index.ts'
import { chainNowMs } from './certificates.ts'
import { madeReportData, makeDcap } from './dcap.ts'
import { nitroChain, nitroDocument, nitroReportData, nitroTestStore } from './nitro.ts'
import {
  signSnpReport,
  snpAuthorities,
  snpCollateral,
  snpLeaf,
  snpReport,
  snpReportData,
  snpTestStore,
} from './sev-snp.ts'
import { akAuthority, ekRoot, makeAk, tpmEvidence, tpmNowMs } from './tpm.ts'
import { manifest } from './world.ts'

export const allVerifiers: readonly EvidenceVerifier[] = [
  simulatedVerifier,
  sgxVerifier,
  tdxVerifier,
  sevSnpVerifier,
  nitroVerifier,
  tpmVerifier,
]
const reportData = new Uint8Array(64).fill(5)

async function dcapInput(platform: 'sgx' | 'tdx'): Promise<VerifyEvidenceInput> {
  const { bytes, context } = await makeDcap(platform)
  const { trustStore, nowMs, collateral } = context
  const evidence = { platform, bytes }
  return {
    evidence,
    verifiers: allVerifiers,
    trustStores: [trustStore],
    nowMs,
    collateral,
    expectedReportData: madeReportData,
  }
}

/** Genuine evidence of every platform, with all that belongs to it, by name of the platform. */
export async function verificationInputs(): Promise<Readonly<Record<string, VerifyEvidenceInput>>> {
  await cryptoReady()
  const common = { verifiers: allVerifiers, nowMs: chainNowMs }
  const authorities = await snpAuthorities()
  const leaf = await snpLeaf(authorities)
  const chain = await nitroChain()
  const attester = simulatedAttester({ root: await createSimulatedRoot(seeded('root')), manifest })
  const authority = keyThumbprint(akAuthority().publicKey)
  const tpmBytes = await tpmEvidence(await makeAk(), { extraData: tpmQualifyingData(reportData) })
  return {
    simulated: {
      ...common,
      evidence: await attester.produce(reportData),
      trustStores: [simulatedTrustStore('any')],
      expectedReportData: reportData,
    },
    sgx: await dcapInput('sgx'),
    tdx: await dcapInput('tdx'),
    'sev-snp': {
      ...common,
      evidence: { platform: 'sev-snp', bytes: await signSnpReport(snpReport(authorities), leaf) },
      trustStores: [snpTestStore(authorities)],
      collateral: await snpCollateral(authorities, leaf),
      expectedReportData: snpReportData,
    },
    nitro: {
      ...common,
      evidence: { platform: 'nitro', bytes: await nitroDocument(chain) },
      trustStores: [nitroTestStore(chain)],
      expectedReportData: nitroReportData,
    },
    tpm: {
      ...common,
      nowMs: tpmNowMs,
      evidence: { platform: 'tpm', bytes: tpmBytes },
      trustStores: [tpmTrustStore({ authorities: [authority], ekRoots: [ekRoot] })],
      expectedReportData: reportData,
    },
  }
}
