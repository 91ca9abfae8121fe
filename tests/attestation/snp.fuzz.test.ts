// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { runSnpCase } from './cases/snp.ts'
import { realAccepted, vectorsMissing } from './kind.ts'
import { flipped, tallyMutations } from './mutations.ts'

describe.skipIf(vectorsMissing !== null)(`changed SEV-SNP evidence ${vectorsMissing ?? ''}`, () => {
  const cases = realAccepted('snp')

  test('there are reports of both kinds of keys', () => {
    expect(cases.map(({ name }) => name)).toEqual([
      'snp/genoa-v3-vcek-valid-azure',
      'snp/milan-v2-vcek-debug-policy',
      'snp/milan-v2-vcek-valid',
      'snp/milan-v3-vlek-valid-aws',
    ])
  })

  test.each(cases)('no byte of the report in $name can be another', async (vector) => {
    const mutations = [...flipped(vector.read('report.bin'))]
    const tally = await tallyMutations(vector, 'report.bin', mutations, runSnpCase)
    expect(tally).toEqual({ acceptedCount: 0, refusedCount: mutations.length })
  })

  test.each(cases)('no byte of the certificate in $name can be another', async (vector) => {
    const mutations = [...flipped(vector.read('vcek.der'))]
    const tally = await tallyMutations(vector, 'vcek.der', mutations, runSnpCase)
    expect(tally).toEqual({ acceptedCount: 0, refusedCount: mutations.length })
  })
})
