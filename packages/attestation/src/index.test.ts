// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as attestation from './index.ts'
import * as simulated from './simulated/index.ts'

test('the public surface is this list', () => {
  expect(Object.keys(attestation).sort()).toMatchInlineSnapshot(`
    [
      "AttestationError",
      "activationReportData",
      "admitTrustStores",
      "anchorDescriptorMaxSizeBytes",
      "appraise",
      "assertChallengeTime",
      "attestationErrorTable",
      "authorityKeys",
      "buildReportClaims",
      "challengeMaxLifetimeSeconds",
      "challengeTyp",
      "clockSkewSeconds",
      "createChallenge",
      "createRequest",
      "createResponse",
      "decideActivation",
      "decodeTokenFile",
      "encodeTokenFile",
      "evidenceMaxSizeBytes",
      "manifestDigest",
      "matchesReference",
      "openRelease",
      "parseManifest",
      "parsePolicy",
      "readChallenge",
      "readReportClaims",
      "refusalError",
      "releaseInfo",
      "reportData",
      "reportPurposes",
      "requestTyp",
      "requireAccepted",
      "responseTyp",
      "sealRelease",
      "tokenHash",
      "tpmQualifyingData",
      "verifyChallenge",
      "verifyEvidence",
      "verifyRequest",
      "verifyResponse",
    ]
  `)
  expect(Object.keys(simulated).sort()).toMatchInlineSnapshot(`
    [
      "createSimulatedRoot",
      "parseQuote",
      "simulatedAttester",
      "simulatedPlatform",
      "simulatedTrustStore",
      "simulatedVerifier",
    ]
  `)
})
