// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { type CaseRunner, readCases, type VectorCase } from './case.ts'
import { judge } from './judge.ts'
import { type KindTally, tally } from './report.ts'

/** Why the tests that need the vectors are skipped, or null where they are there. */
export const vectorsMissing: string | null = missing('attestation-vectors')

/** Cases of one kind; none where the vectors are not there. */
export function casesOf(kind: string): readonly VectorCase[] {
  if (vectorsMissing !== null) return []
  return readCases(join(sharedDir, 'attestation-vectors')).filter((it) => it.kind === kind)
}

/** Real evidence that is accepted as it is. */
export function realAccepted(kind: string): readonly VectorCase[] {
  return casesOf(kind).filter(
    ({ expected }) => expected.origin === 'real' && expected.verdict.evidence === 'accept',
  )
}

/** Holds all cases of a kind against what the vectors say, and those with a root of their own against the vendor's. */
export function describeKind(kind: string, run: CaseRunner, expected: Omit<KindTally, 'kind'>): void {
  describe.skipIf(vectorsMissing !== null)(`vectors of ${kind} ${vectorsMissing ?? ''}`, () => {
    const cases = casesOf(kind)

    test('verdicts of evidence and policy, and every field', async () => {
      const judged = await Promise.all(cases.map((it) => judge(it, run)))
      expect(judged.flatMap(({ name, differences }) => differences.map((it) => `${name}: ${it}`))).toEqual([])
      expect(tally(judged)).toEqual([{ kind, ...expected }])
    })

    test.each(cases.filter((it) => it.expected.origin === 'synthetic'))(
      "$name is refused under the vendor's own roots",
      async (vector) => {
        const { evidence, strictPolicy } = await run(vector, { vendorRootsOnly: true })
        expect([evidence, strictPolicy]).toEqual(['reject', 'reject'])
      },
    )
  })
}
