// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { sectionSchema } from '../appraise/rules.ts'
import type { EvidenceVerifier } from '../evidence/verifier.ts'
import { policySchema } from './policy.ts'

/**
 * The form of a policy as JSON Schema, for editors and for other programs: what `parsePolicy` checks, as far as JSON Schema
 * can say it.
 * @param verifiers the sections of these platforms are described in full; of others only that they are objects
 * @see JSON Schema, draft 2020-12
 */
export function policyJsonSchema(verifiers: readonly EvidenceVerifier[]): object {
  const sections = verifiers
    .filter(({ rules }) => Object.keys(rules).length > 0)
    .map(({ name, rules }) => [name, sectionSchema(rules).optional()])
  const platforms = z.object(Object.fromEntries(sections)).catchall(z.record(z.string(), z.unknown()))
  return z.toJSONSchema(policySchema.extend({ platforms }), { io: 'input', unrepresentable: 'any' })
}
