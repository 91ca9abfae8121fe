// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import type { DcapClaims } from '@mlcapsule/attestation/sgx'
import { describe, expect, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCases, type VectorCase } from './case.ts'
import { caseContext, type DcapKind, dcapRunner } from './cases/dcap.ts'
import { judge } from './judge.ts'

const skipped = missing('attestation-vectors')
const all = skipped === null ? readCases(join(sharedDir, 'attestation-vectors')) : []

export function casesOf(kind: string): readonly VectorCase[] {
  return all.filter((it) => it.kind === kind)
}

export interface VectorCounts {
  readonly cases: number
  readonly genuine: number
  readonly strictlyAccepted: number
  readonly synthetic: number
}

/** Tests of one of Intel's kinds over all of its vectors. */
export function testVectors<Platform extends 'sgx' | 'tdx'>(
  kind: DcapKind<Platform>,
  counts: VectorCounts,
): void {
  const run = dcapRunner(kind)
  const cases = casesOf(kind.verifier.name)

  describe.skipIf(skipped !== null)(`vectors of ${kind.verifier.name}`, () => {
    test('verdicts and fields are as expected', async () => {
      const judged = await Promise.all(cases.map((it) => judge(it, run)))
      expect(judged.flatMap(({ name, differences }) => differences.map((it) => `${name}: ${it}`))).toEqual([])
      expect(judged).toHaveLength(counts.cases)
      expect(judged.filter(({ outcome }) => outcome?.evidence === 'accept')).toHaveLength(counts.genuine)
      expect(judged.filter(({ outcome }) => outcome?.strictPolicy === 'accept')).toHaveLength(
        counts.strictlyAccepted,
      )
    })

    test('what the status is made of is as expected', async () => {
      const genuine = cases.filter(({ expected }) => expected.verdict.evidence === 'accept')
      expect(genuine).toHaveLength(counts.genuine)
      for (const vector of genuine) {
        const { expected } = vector
        const { bytes, context } = caseContext(kind, vector)
        const { advisoryIds, claims } = await kind.verifyUnbound(bytes, context)
        const { tcb, tcbEvaluationDataNumber } = claims as DcapClaims
        expect(advisoryIds).toEqual((expected.advisoryIds as string[]).toSorted())
        expect(tcb.platformStatus).toBe(expected.platformTcbStatus)
        expect(tcb.qeStatus).toBe(expected.qeTcbStatus)
        expect(tcb.module).toEqual(expected.tdxModule ?? null)
        expect(tcbEvaluationDataNumber).toBe(expected.tcbEvaluationDataNumber)
        if (expected.tcbDate !== undefined) expect(tcb.tcbDateMs).toBe(Date.parse(expected.tcbDate as string))
      }
    })

    test("synthetic cases are refused under Intel's root", async () => {
      const synthetic = cases.filter(({ expected }) => expected.origin === 'synthetic')
      expect(synthetic).toHaveLength(counts.synthetic)
      for (const vector of synthetic) {
        const { evidence, code } = await run(vector, { vendorRootsOnly: true })
        expect(evidence).toBe('reject')
        // Those that are genuine but for their root are refused for it.
        if (vector.expected.verdict.evidence === 'accept') expect(code).toBe('ATTESTATION_ROOT_UNKNOWN')
      }
    })

    test('genuine quotes are refused before and after the time of their collateral', async () => {
      for (const vector of cases) {
        const window = vector.expected.collateralWindow as { from: string; to: string } | undefined
        if (vector.expected.verdict.evidence !== 'accept' || window === undefined) continue
        const at = async (nowMs: number) => (await run(vector, { nowMs })).evidence
        const [from, to] = [Date.parse(window.from), Date.parse(window.to)]
        expect([await at(from), await at(to)]).toEqual(['accept', 'accept'])
        expect([await at(from - 1000), await at(to + 1000)]).toEqual(['reject', 'reject'])
      }
    })
  })
}
