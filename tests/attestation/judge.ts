// SPDX-License-Identifier: Apache-2.0
import { isDeepStrictEqual } from 'node:util'
import type { CaseOutcome, CaseRunner, VectorCase } from './case.ts'

export interface JudgedCase {
  readonly name: string
  readonly kind: string
  readonly origin: string
  readonly outcome: CaseOutcome | null
  readonly fieldCount: number
  /** What differs from what the vectors say; empty where all is equal. */
  readonly differences: readonly string[]
}

/** Holds a case's outcome against its `expected.json`: both verdicts, the status of the firmware, and each field. */
export async function judge(vector: VectorCase, run: CaseRunner): Promise<JudgedCase> {
  const { name, kind, expected } = vector
  const common = { name, kind, origin: expected.origin }
  let outcome: CaseOutcome
  try {
    outcome = await run(vector)
  } catch (error) {
    return { ...common, outcome: null, fieldCount: 0, differences: [`stopped with ${String(error)}`] }
  }
  const differences: string[] = []
  const compare = (what: string, wanted: unknown, found: unknown) => {
    if (wanted === 'either' || isDeepStrictEqual(wanted, found)) return
    differences.push(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`)
  }
  compare('evidence', expected.verdict.evidence, outcome.evidence)
  compare('strict policy', expected.verdict.strictPolicy, outcome.strictPolicy)
  if (expected.verdict.evidence === 'accept' && expected.tcbStatus !== undefined) {
    compare('TCB status', expected.tcbStatus, outcome.tcbStatus)
  }
  // What cannot be read has no fields; that it is refused is compared above.
  const fields = outcome.fields === null ? [] : Object.entries(expected.fields ?? {})
  for (const [field, wanted] of fields) compare(`fields.${field}`, wanted, outcome.fields?.[field])
  return { ...common, outcome, fieldCount: fields.length, differences }
}
