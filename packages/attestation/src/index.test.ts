// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import * as collateral from './collateral/index.ts'
import * as attestation from './index.ts'
import * as node from './node/index.ts'
import * as azureVtpm from './platforms/azure-vtpm/index.ts'
import * as nitro from './platforms/nitro/index.ts'
import * as nitroNode from './platforms/nitro/node/index.ts'
import * as sevSnp from './platforms/sev-snp/index.ts'
import * as sevSnpNode from './platforms/sev-snp/node/index.ts'
import * as sgx from './platforms/sgx/index.ts'
import * as sgxNode from './platforms/sgx/node/index.ts'
import * as tdx from './platforms/tdx/index.ts'
import * as tdxNode from './platforms/tdx/node/index.ts'
import * as tpm from './platforms/tpm/index.ts'
import * as eat from './result/eat.ts'
import * as simulated from './simulated/index.ts'
import * as transparency from './transparency/index.ts'

const names = (module: object) => Object.keys(module).sort()

test('the public surface is this list', () => {
  expect(names(attestation)).toMatchInlineSnapshot(`
    [
      "AttestationError",
      "activationReportData",
      "admitTrustStores",
      "anchorDescriptorMaxSizeBytes",
      "appraise",
      "assertChallengeTime",
      "attestationErrorTable",
      "authorityKeys",
      "bindReportData",
      "buildReportClaims",
      "challengeMaxLifetimeSeconds",
      "challengeTyp",
      "checkRules",
      "clockSkewSeconds",
      "createChallenge",
      "createRequest",
      "createResponse",
      "decideActivation",
      "decodeTokenFile",
      "encodeTokenFile",
      "evidenceMaxSizeBytes",
      "examineEvidence",
      "manifestDigest",
      "matchesReference",
      "noCollateral",
      "openRelease",
      "parseManifest",
      "parsePolicy",
      "parseSection",
      "platformRule",
      "policyJsonSchema",
      "readChallenge",
      "readReference",
      "readReportClaims",
      "referenceTyp",
      "refusalError",
      "releaseInfo",
      "reportData",
      "reportPurposes",
      "requestTyp",
      "requireAccepted",
      "requireCollateral",
      "responseTyp",
      "sealRelease",
      "signReference",
      "suggestedSection",
      "tokenFileMaxSizeBytes",
      "tokenHash",
      "tpmQualifyingData",
      "verifierOf",
      "verifyBy",
      "verifyChallenge",
      "verifyEvidence",
      "verifyReference",
      "verifyRequest",
      "verifyResponse",
    ]
  `)
  expect(names(simulated)).toMatchInlineSnapshot(`
    [
      "createSimulatedRoot",
      "parseQuote",
      "simulatedAttester",
      "simulatedPlatform",
      "simulatedTrustStore",
      "simulatedVerifier",
    ]
  `)
  expect(names(sgx)).toMatchInlineSnapshot(`
    [
      "intelRootSpkiSha256",
      "parseSgxQuote",
      "readPckChain",
      "sgxRules",
      "sgxTrustStore",
      "sgxVerifier",
    ]
  `)
  expect(names(tdx)).toMatchInlineSnapshot(`
    [
      "assertEventLog",
      "intelRootSpkiSha256",
      "parseTdxQuote",
      "readPckChain",
      "replayEvents",
      "tdxRules",
      "tdxTrustStore",
      "tdxVerifier",
    ]
  `)
  expect(names(sevSnp)).toMatchInlineSnapshot(`
    [
      "amdRootKeys",
      "decodeTcb",
      "parseSevSnpEvidence",
      "parseSevSnpReport",
      "readEndorsementKey",
      "sevSnpPlatform",
      "sevSnpProducts",
      "sevSnpReportSizeBytes",
      "sevSnpTrustStore",
      "sevSnpVerifier",
      "tcbHex",
      "verifySevSnp",
    ]
  `)
  expect(names(nitro)).toMatchInlineSnapshot(`
    [
      "awsNitroRoots",
      "nitroPlatform",
      "nitroTrustStore",
      "nitroVerifier",
      "parseNitroDocument",
      "verifyNitro",
    ]
  `)
  expect(names(tpm)).toMatchInlineSnapshot(`
    [
      "akCredentialTyp",
      "assertAttestationKey",
      "decodeEnrollmentAnswer",
      "decodeEnrollmentOffer",
      "decodeEnrollmentRequest",
      "describeEkRoot",
      "encodeEnrollmentAnswer",
      "encodeEnrollmentOffer",
      "encodeEnrollmentRequest",
      "encodeTpmEvidence",
      "enrollmentFileMaxSizeBytes",
      "issueAkCredential",
      "makeCredential",
      "offerAkCredential",
      "parseAttest",
      "parsePublicArea",
      "parseSignature",
      "parseTpmEvidence",
      "readEkRoots",
      "signAkCredential",
      "tpmPlatform",
      "tpmRules",
      "tpmTrustStore",
      "tpmVerifier",
      "verifiedTpm",
      "verifyAkCredential",
      "verifyEndorsementKey",
      "verifyEnrollmentRequest",
      "verifyQuote",
      "verifyTpmEvidence",
    ]
  `)
  expect(names(azureVtpm)).toMatchInlineSnapshot(`
    [
      "azureVtpmPlatform",
      "azureVtpmTrustStore",
      "azureVtpmVerifier",
      "encodeAzureVtpmEvidence",
      "parseAzureVtpmEvidence",
      "parseHclReport",
      "parseRuntimeClaims",
      "verifyAzureVtpm",
    ]
  `)
  expect(names(collateral)).toMatchInlineSnapshot(`
    [
      "amdFetcher",
      "amdKdsUrl",
      "bundleMaxSizeBytes",
      "collateralMaxSizeBytes",
      "collateralNameSchema",
      "decodeBundle",
      "encodeBundle",
      "fetchCollateral",
      "intelFetcher",
      "intelPcsUrl",
      "intelRootCrlUrl",
      "vendorFetcher",
    ]
  `)
  expect(names(node)).toMatchInlineSnapshot(`
    [
      "collateralCache",
      "openTransparencyLog",
    ]
  `)
  expect(names(eat)).toMatchInlineSnapshot(`
    [
      "eatProfile",
      "eatTyp",
      "measuredRegisters",
      "requireAcceptedResult",
      "signResult",
      "verifyResult",
    ]
  `)
  expect(names(transparency)).toMatchInlineSnapshot(`
    [
      "checkLogProof",
      "consistencyPath",
      "decodeLogProof",
      "encodeLogProof",
      "inclusionPath",
      "isExtension",
      "isIncluded",
      "leafHash",
      "logMaxCount",
      "nodeHash",
      "proofMaxSizeBytes",
      "signTreeHead",
      "treeHeadTyp",
      "treeRoot",
      "verifyTreeHead",
    ]
  `)
  expect([sgxNode, tdxNode, sevSnpNode, nitroNode].map(names)).toEqual([
    ['gramineAttester'],
    ['tdxAttester'],
    ['sevSnpAttester'],
    ['nitroAttester', 'nsmAddonPath'],
  ])
})
