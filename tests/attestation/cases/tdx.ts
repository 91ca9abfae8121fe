// SPDX-License-Identifier: Apache-2.0
import { parseTdxQuote, tdxTrustStore, tdxVerifier } from '@mlcapsule/attestation/tdx'
import { type DcapKind, dcapRunner } from './dcap.ts'

/** What the vectors call strict: SEPT_VE_DISABLE, no reserved attribute, no service TD. */
export const tdxKind: DcapKind<'tdx'> = {
  verifier: tdxVerifier,
  parse: parseTdxQuote,
  async verifyUnbound(bytes, context) {
    return (await tdxVerifier.examine({ platform: 'tdx', bytes }, context)).unbound
  },
  trustStore: tdxTrustStore,
  strictSection: {
    measurements: 'any',
    tdAttributes: { required: ['SEPT_VE_DISABLE'], allowed: ['PKS', 'KL', 'PERFMON'] },
    xfam: 'any',
    mrServiceTd: ['00'.repeat(48), 'unreported'],
    mrConfigId: 'any',
    mrOwner: 'any',
    mrOwnerConfig: 'any',
    mrSeam: 'any',
    minimumTcbEvaluationDataNumber: 'any',
    platforms: 'any',
  },
}

export const runTdxCase = dcapRunner(tdxKind)
