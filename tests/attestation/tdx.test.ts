// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { missing } from '../support/shared.ts'
import { caseContext } from './cases/dcap.ts'
import { tdxKind } from './cases/tdx.ts'
import { casesOf, testVectors } from './dcap-vectors.ts'

testVectors(tdxKind, { cases: 34, genuine: 11, strictlyAccepted: 5, synthetic: 8 })

const skipped = missing('attestation-vectors')

test.skipIf(skipped !== null)(
  'a platform below all levels, without the text that follows its quote',
  async () => {
    const vector = casesOf('tdx').find(({ name }) => name === 'tdx/tdx-v4-5080-no-tcb-level')
    if (vector === undefined) throw new Error('the case is not there')
    const text = '\nextra bytes(only for testing purpose)\n'
    const whole = vector.read(vector.expected.evidenceFile)
    expect(new TextDecoder().decode(whole.subarray(-text.length))).toBe(text)
    const { bytes, context } = caseContext(tdxKind, vector, {}, whole.slice(0, -text.length))
    await expect(tdxKind.verifyUnbound(bytes, context)).rejects.toMatchObject({
      code: 'ATTESTATION_TCB_REVOKED',
    })
  },
)
