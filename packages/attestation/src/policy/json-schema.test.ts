// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { policyJson } from '../../test/world.ts'
import { platformRule } from '../appraise/rules.ts'
import type { EvidenceVerifier } from '../evidence/verifier.ts'
import { simulatedVerifier } from '../simulated/index.ts'
import { policyJsonSchema } from './json-schema.ts'
import { parsePolicy } from './policy.ts'

const svn = platformRule<{ svn: number }, number>({
  schema: z.int().min(0),
  suggested: 'any',
  found: (claims) => String(claims.svn),
  holds: (claims, least) => claims.svn >= least,
  code: 'ATTESTATION_TCB_REFUSED',
})
const ruled: EvidenceVerifier = {
  ...simulatedVerifier,
  name: 'ruled',
  rules: { minimumSvn: svn, strictSvn: { ...svn, strict: true, suggested: 1 } },
}

/** What a reader of JSON Schema makes of it. */
const schema = z.fromJSONSchema(policyJsonSchema([simulatedVerifier, ruled]) as z.core.JSONSchema.JSONSchema)
const takes = (value: unknown) => schema.safeParse(value).success
const parses = (value: unknown) => {
  try {
    return parsePolicy(value, [ruled]).version === 1
  } catch {
    return false
  }
}
const section = { minimumSvn: 'any', strictSvn: 3 }

describe('the JSON Schema of policies says what parsePolicy does', () => {
  test.each<[string, unknown, boolean]>([
    ['a policy', policyJson, true],
    ['a section', { ...policyJson, platforms: { ruled: section } }, true],
    [
      'the section of a platform that is not known here',
      { ...policyJson, platforms: { other: { x: 1 } } },
      true,
    ],
    ['an unknown field', { ...policyJson, note: '' }, false],
    ['debug allowed', { ...policyJson, debug: true }, false],
    ['a section that lacks a rule', { ...policyJson, platforms: { ruled: { minimumSvn: 1 } } }, false],
    [
      'a strict rule unchecked',
      { ...policyJson, platforms: { ruled: { ...section, strictSvn: 'any' } } },
      false,
    ],
    ['an unknown rule', { ...policyJson, platforms: { ruled: { ...section, note: 1 } } }, false],
    [
      'a rule of another form',
      { ...policyJson, platforms: { ruled: { ...section, minimumSvn: -1 } } },
      false,
    ],
    ['a section that is no object', { ...policyJson, platforms: { other: 1 } }, false],
  ])('%s', (_what, value, expected) => {
    expect([takes(value), parses(value)]).toEqual([expected, expected])
  })

  test.each(Object.keys(policyJson))('%s has to be there', (field) => {
    const { [field as 'name']: _left, ...rest } = policyJson
    expect([takes(rest), parses(rest)]).toEqual([false, false])
  })
})
