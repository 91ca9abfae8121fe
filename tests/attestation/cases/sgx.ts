// SPDX-License-Identifier: Apache-2.0
import { parseSgxQuote, sgxTrustStore, sgxVerifier } from '@mlcapsule/attestation/sgx'
import { type DcapKind, dcapRunner } from './dcap.ts'

/** What the vectors call strict asks nothing of SGX but what every appraisal does: no debug, and the status. */
export const sgxKind: DcapKind<'sgx'> = {
  verifier: sgxVerifier,
  parse: parseSgxQuote,
  async verifyUnbound(bytes, context) {
    return (await sgxVerifier.examine({ platform: 'sgx', bytes }, context)).unbound
  },
  trustStore: sgxTrustStore,
  strictSection: {
    identities: 'any',
    attributes: 'any',
    configId: 'any',
    minimumTcbEvaluationDataNumber: 'any',
    platforms: 'any',
  },
}

export const runSgxCase = dcapRunner(sgxKind)
