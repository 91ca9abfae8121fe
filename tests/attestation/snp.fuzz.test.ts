// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import { runSnpCase, tabledEvidence } from './cases/snp.ts'
import { realAccepted, vectorsMissing } from './kind.ts'
import { extremes, flipped, tallyMutations } from './mutations.ts'

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

  test.each(cases)('no byte of the table behind the report in $name can be another', async (vector) => {
    const evidence = tabledEvidence(vector)
    expect((await tallyMutations(vector, 'report.bin', [evidence], runSnpCase)).acceptedCount).toBe(1)
    // The GUID, the offset, the size, and the three of the entry that ends the table.
    const fields = [0, 16, 20, 24, 40, 44].map((at) => [1184 + at, at % 24 === 0 ? 16 : 4] as const)
    const mutations = [
      ...flipped(evidence, 1184),
      ...fields.flatMap(([at, sizeBytes]) => [...extremes(evidence, at, sizeBytes)]),
    ].filter((it) => !Buffer.from(evidence).equals(it))
    expect(mutations.length).toBeGreaterThan(50)
    const tally = await tallyMutations(vector, 'report.bin', mutations, runSnpCase)
    expect(tally).toEqual({ acceptedCount: 0, refusedCount: mutations.length })
  })
})
