// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'
import { parseWith } from '../schema/parse.ts'

/** One thing that an appraisal looked at, for people and programs. */
export interface AppraisalCheck {
  /** Where the policy says it, e.g. `platforms.sgx.identities`. */
  readonly field: string
  readonly status: 'passed' | 'failed' | 'unchecked'
  /** As the evidence shows it. */
  readonly found: string
  /** As the policy asks for it; `any` where it is unchecked. */
  readonly expected: string
  /** Of a failed check. */
  readonly code: AttestationErrorCode | null
}

/** What a policy may ask of one claim of a platform. */
export interface PlatformRule<Claims, Expected = unknown> {
  /** Without `'any'`, which every rule takes unless it is strict. */
  readonly schema: z.ZodType<Expected>
  /** A strict rule cannot be left unchecked. */
  readonly strict?: true
  /** What new policies are written with; strict where a platform knows a right answer. */
  readonly suggested: Expected | 'any'
  /** What of the claims is looked at, as text. */
  found(claims: Claims): string
  holds(claims: Claims, expected: Expected): boolean
  /** How the expectation reads; JSON where it is absent. */
  describe?(expected: Expected): string
  readonly code: AttestationErrorCode
}

/** By the names under which a policy holds them, in the order in which they are checked. */
export type PlatformRules<Claims> = Readonly<Record<string, PlatformRule<Claims>>>

/** Gives a rule its types; the table of a platform holds them without. */
export function platformRule<Claims, Expected>(rule: PlatformRule<Claims, Expected>): PlatformRule<Claims> {
  return rule as PlatformRule<Claims>
}

/** A policy's section about one platform. */
export type PlatformSection = Readonly<Record<string, unknown>>

/** The form of a platform's section: every rule by its name, and nothing else. */
export function sectionSchema(rules: PlatformRules<unknown>) {
  const members = Object.entries(rules).map(([name, { schema, strict }]) => [
    name,
    strict === true ? schema : z.union([z.literal('any'), schema]),
  ])
  return z.strictObject(Object.fromEntries(members))
}

/** A section as new policies are written with: each rule as its platform suggests it. */
export function suggestedSection(rules: PlatformRules<unknown>): PlatformSection {
  return Object.fromEntries(Object.entries(rules).map(([name, { suggested }]) => [name, suggested]))
}

/**
 * Reads the section of a platform. Nothing has a default: a rule that is to stay unchecked says `'any'`.
 * @param field where the section lies, e.g. `policy.platforms.sgx`
 * @throws AttestationError `POLICY_FIELD_MISSING`, `POLICY_INVALID`
 */
export function parseSection(
  rules: PlatformRules<unknown>,
  section: PlatformSection,
  field: string,
): PlatformSection {
  const missing = Object.keys(rules).find((name) => !Object.hasOwn(section, name))
  if (missing !== undefined) {
    const detail = `${field}.${missing} is missing: write it, or "any" where it may stay unchecked`
    throw new AttestationError('POLICY_FIELD_MISSING', detail, { field: `${field}.${missing}` })
  }
  return parseWith(sectionSchema(rules), section, 'POLICY_INVALID', field)
}

/**
 * Holds claims against the section of their platform.
 * @returns one check for each rule, in the order of the rules
 */
export function checkRules(
  rules: PlatformRules<unknown>,
  section: PlatformSection,
  claims: unknown,
  field: string,
): readonly AppraisalCheck[] {
  return Object.entries(rules).map(([name, rule]) => {
    const expected = section[name]
    const found = rule.found(claims)
    const common = { field: `${field}.${name}`, found }
    if (expected === 'any' && rule.strict !== true) {
      return { ...common, status: 'unchecked', expected: 'any', code: null }
    }
    const described = rule.describe?.(expected) ?? JSON.stringify(expected)
    return rule.holds(claims, expected)
      ? { ...common, status: 'passed', expected: described, code: null }
      : { ...common, status: 'failed', expected: described, code: rule.code }
  })
}
