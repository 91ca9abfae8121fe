// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest'
import { allVerifiers, verificationInputs } from '../../test/all-platforms.ts'
import { codeOf } from '../../test/errors.ts'
import { tpmQualifyingData } from '../report/claims.ts'
import { examineEvidence, type VerifyEvidenceInput, verifyEvidence } from './verifier.ts'

let inputs: Readonly<Record<string, VerifyEvidenceInput>>
beforeAll(async () => {
  inputs = await verificationInputs()
})

describe.each(allVerifiers.map(({ name }) => name))('examining evidence of %s', (platform) => {
  test('finds what verifying finds, and tells what the evidence binds', async () => {
    const input = inputs[platform] as VerifyEvidenceInput
    const { unbound, reportData: bound } = await examineEvidence(input)
    expect(unbound).toEqual(await verifyEvidence(input))
    const { expectedReportData } = input
    expect(bound).toEqual(platform === 'tpm' ? tpmQualifyingData(expectedReportData) : expectedReportData)
  })

  test('#71 leaves out nothing but for whom it was made', async () => {
    const input = inputs[platform] as VerifyEvidenceInput
    const foreign = { ...input, expectedReportData: new Uint8Array(64) }
    expect(await codeOf(() => verifyEvidence(foreign))).toBe('ATTESTATION_REPORT_DATA_MISMATCH')
    const { bytes } = input.evidence
    for (let at = 0; at < bytes.length; at += 61) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      const evidence = { platform, bytes: changed }
      const code = await codeOf(() => verifyEvidence({ ...input, evidence }))
      expect(await codeOf(() => examineEvidence({ ...input, evidence }))).toBe(code)
    }
    for (const { trustStores, newestSeenMs } of [
      { trustStores: [], newestSeenMs: 0 },
      { trustStores: input.trustStores, newestSeenMs: input.nowMs + 1 },
    ]) {
      const code = await codeOf(() => verifyEvidence({ ...input, trustStores, newestSeenMs }))
      expect(code).not.toBe('ok')
      expect(await codeOf(() => examineEvidence({ ...input, trustStores, newestSeenMs }))).toBe(code)
    }
  })
})
