// SPDX-License-Identifier: Apache-2.0

import { base64UrlOf, hexOf, identifier, pluginName } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { parseSection } from '../appraise/rules.ts'
import { AttestationError } from '../errors.ts'
import type { EvidenceVerifier, TrustStore } from '../evidence/verifier.ts'
import { parseWith } from '../schema/parse.ts'
import { entrySchema, tierSchema } from '../schema/words.ts'
import { manifestReferenceSchema } from './references.ts'

const any = z.literal('any')

export const policySchema = z.strictObject({
  version: z.literal(1),
  name: identifier,
  minimumTier: tierSchema,
  allowUnattested: z.array(entrySchema).max(4),
  manifests: z.union([any, z.array(manifestReferenceSchema).min(1).max(256)]),
  referenceSigners: z.array(base64UrlOf(32)).max(16),
  platforms: z.record(pluginName, z.record(z.string(), z.json())),
  maxEvidenceAgeSeconds: z.union([any, z.int().min(1).max(2_678_400)]),
  simulatedRoots: z.union([any, z.array(hexOf(32)).max(256)]),
  tcbStatuses: z.union([any, z.array(identifier).min(1).max(16)]),
  advisories: z.union([any, z.array(identifier).max(256)]),
  debug: z.literal(false),
})

/**
 * What a provider accepts before a key leaves. Nothing is checked by default: a field that is to stay unchecked says
 * `'any'`, and one that is left out is an error.
 * @see spec/evidence.md §6
 */
export type AttestationPolicy = Readonly<z.infer<typeof policySchema>>

/**
 * Reads a policy.
 * @param verifiers also the sections of these platforms are held against their rules; those of others are when evidence
 * of theirs is appraised
 * @throws AttestationError `POLICY_FIELD_MISSING`, `POLICY_INVALID`
 */
export function parsePolicy(value: unknown, verifiers: readonly EvidenceVerifier[] = []): AttestationPolicy {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const missing = Object.keys(policySchema.shape).find((field) => !Object.hasOwn(value, field))
    if (missing !== undefined) {
      const detail = `policy.${missing} is missing: write it, or "any" where it may stay unchecked`
      throw new AttestationError('POLICY_FIELD_MISSING', detail, { field: `policy.${missing}` })
    }
  }
  const policy = parseWith(policySchema, value, 'POLICY_INVALID', 'policy')
  for (const { name, rules } of verifiers) {
    const section = policy.platforms[name]
    if (section !== undefined) parseSection(rules, section, `policy.platforms.${name}`)
  }
  return policy
}

/**
 * Lets trust stores in under a policy. Simulated roots enter only where the policy names an unattested entry.
 * @throws AttestationError `POLICY_SIMULATED_ROOT_REFUSED`
 */
export function admitTrustStores(
  policy: AttestationPolicy,
  stores: readonly TrustStore[],
): readonly TrustStore[] {
  const refused = stores.find((it) => it.rootKind === 'simulated')
  if (refused !== undefined && policy.allowUnattested.length === 0) {
    const detail = `policy ${policy.name} names no entry in allowUnattested, and so takes no ${refused.platform} roots`
    throw new AttestationError('POLICY_SIMULATED_ROOT_REFUSED', detail, { field: 'policy.allowUnattested' })
  }
  return stores
}
