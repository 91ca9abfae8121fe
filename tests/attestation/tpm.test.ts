// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCases } from './case.ts'
import { runTpmCase } from './cases/tpm.ts'
import { judge } from './judge.ts'

const reason = missing('attestation-vectors/tpm')
const cases = reason === null ? readCases(join(sharedDir, 'attestation-vectors')) : []
const own = cases.filter(({ kind }) => kind === 'tpm')

describe('quotes of TPMs', () => {
  test('all vectors have the verdicts and fields that they say', async ({ skip }) => {
    skip(reason !== null, reason ?? '')
    expect(own).toHaveLength(12)
    for (const vector of own) expect(await judge(vector, runTpmCase)).toMatchObject({ differences: [] })
  })

  test('#4 no synthetic case is accepted where only vendors count', async ({ skip }) => {
    skip(reason !== null, reason ?? '')
    const synthetic = own.filter(({ expected }) => expected.origin === 'synthetic')
    expect(synthetic).toHaveLength(5)
    for (const vector of synthetic) {
      expect(await runTpmCase(vector, { vendorRootsOnly: true })).toMatchObject({
        evidence: 'reject',
        strictPolicy: 'reject',
      })
    }
    const accepted = synthetic.filter(({ expected }) => expected.verdict.evidence === 'accept')
    for (const vector of accepted) {
      const { code } = await runTpmCase(vector, { vendorRootsOnly: true })
      expect(code).toBe('ATTESTATION_ROOT_UNKNOWN')
    }
  })
})
