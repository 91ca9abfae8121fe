// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRules, platformRule } from '../../appraise/rules.ts'
import type { NitroClaims } from './verify.ts'

const values = z.array(hexOf(48)).min(1).max(256)
const furtherPcrs = Array.from({ length: 29 }, (_, at) => [String(at + 3), values.optional()] as const)
/** 0, 1 and 2 together say what runs; one of them alone, or another, does not. */
const pcrsSchema = z.strictObject({ 0: values, 1: values, 2: values, ...Object.fromEntries(furtherPcrs) })
type ExpectedPcrs = Readonly<Record<string, readonly string[]>>

const absent = 'absent'
const nonceSchema = z.union([z.literal(absent), z.string().regex(/^(?:[0-9a-f]{2}){1,512}$/)])

/** What a policy's section `nitro` rules. */
export const nitroRules: PlatformRules<NitroClaims> = {
  pcrs: platformRule<NitroClaims, ExpectedPcrs>({
    schema: pcrsSchema as z.ZodType<ExpectedPcrs>,
    suggested: 'any',
    found: ({ pcrs }) =>
      Object.entries(pcrs)
        .filter(([index, it]) => Number(index) < 3 || !/^0+$/.test(it))
        .map(([index, it]) => `${index}: ${it}`)
        .join(', '),
    holds: ({ pcrs }, expected) =>
      Object.entries(expected).every(([index, allowed]) => allowed.includes(pcrs[index] ?? '')),
    code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
  }),
  moduleIds: platformRule<NitroClaims, readonly string[]>({
    schema: z.array(z.string().min(1).max(256)).min(1).max(256),
    suggested: 'any',
    found: ({ moduleId }) => moduleId,
    holds: ({ moduleId }, allowed) => allowed.includes(moduleId),
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  // What is asked for stands in the report data, the nonce of the challenge included; this one is the enclave's own.
  nonce: platformRule<NitroClaims, string>({
    schema: nonceSchema,
    suggested: absent,
    found: ({ nonce }) => nonce ?? absent,
    holds: ({ nonce }, expected) => (nonce ?? absent) === expected,
    code: 'ATTESTATION_REPORT_DATA_MISMATCH',
  }),
  maxTimestampAgeSeconds: platformRule<NitroClaims, number>({
    schema: z.int().min(1).max(2_678_400),
    suggested: 900,
    found: ({ timestampAgeMs }) => `${Math.ceil(timestampAgeMs / 1000)} s`,
    holds: ({ timestampAgeMs }, most) => Math.abs(timestampAgeMs) <= most * 1000,
    describe: (most) => `at most ${most} s before or after`,
    code: 'ATTESTATION_EVIDENCE_TOO_OLD',
  }),
}
