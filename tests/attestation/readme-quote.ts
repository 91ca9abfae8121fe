// SPDX-License-Identifier: Apache-2.0
import { verifyEvidence } from '@mlcapsule/attestation'
import { decodeBundle } from '@mlcapsule/attestation/collateral'
import { sgxTrustStore, sgxVerifier } from '@mlcapsule/attestation/sgx'

export const verifyQuote = (quote: Uint8Array, bundle: Uint8Array, reportData: Uint8Array, nowMs: number) =>
  verifyEvidence({
    evidence: { platform: 'sgx', bytes: quote },
    verifiers: [sgxVerifier],
    trustStores: [sgxTrustStore()], // Intel's root, pinned
    collateral: decodeBundle(bundle), // what `mlcapsule-provider collateral export` wrote
    expectedReportData: reportData, // the 64 bytes that the quote has to be for
    nowMs,
  })
