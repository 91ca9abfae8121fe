// SPDX-License-Identifier: Apache-2.0
import type { AttestationPolicy, EvidenceVerifier } from '@mlcapsule/attestation'
import { ProviderError } from '../errors.ts'

/** A rule of a platform's section, as somebody asks for it. Its value is held against the rule when the policy is read. */
export interface SectionRule {
  readonly platform: string
  readonly rule: string
  readonly value: unknown
}

/** @param text `platform.rule=JSON` @throws ProviderError `PROVIDER_OPTION_INVALID` */
export function parseRule(text: string): SectionRule {
  const [, platform, rule, json] =
    /^([a-z][a-z0-9-]{0,63})\.([A-Za-z][A-Za-z0-9]{0,63})=(.+)$/s.exec(text) ?? []
  const invalid = () => {
    const detail = '--rule: expected platform.rule=JSON, e.g. tpm.ekRoots=["0b3c…"]'
    return new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'rule' })
  }
  if (platform === undefined || rule === undefined || json === undefined) throw invalid()
  try {
    return { platform, rule, value: JSON.parse(json) }
  } catch {
    throw invalid()
  }
}

/** Where a policy's sections leave empty what no platform can pass empty: lists and maps that cannot be `any`. */
export function emptyRules(
  { platforms }: AttestationPolicy,
  verifiers: readonly EvidenceVerifier[],
): readonly string[] {
  return verifiers.flatMap(({ name, rules }) =>
    Object.entries(platforms[name] ?? {}).flatMap(([rule, value]) => {
      const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0
      return isEmpty && rules[rule]?.strict === true ? [`platforms.${name}.${rule}`] : []
    }),
  )
}
