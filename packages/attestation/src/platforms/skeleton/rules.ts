// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRules, platformRule } from '../../appraise/rules.ts'
import type { SkeletonReport } from './layout.ts'

/**
 * What a policy's section about this platform has to say, each by its value or `'any'`. What every platform has, such as
 * debug mode and the state of firmware, the policy says once for all and is not repeated here.
 */
export const skeletonRules: PlatformRules<SkeletonReport> = {
  measurements: platformRule<SkeletonReport, readonly string[]>({
    schema: z.array(hexOf(32)).min(1).max(256),
    // What is measured leads to a manifest by a signed reference value.
    suggested: 'any',
    found: ({ measurement }) => toHex(measurement),
    holds: ({ measurement }, expected) => expected.includes(toHex(measurement)),
    describe: (expected) => `one of ${expected.length} measurements`,
    code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
  }),
  minimumSvn: platformRule<SkeletonReport, number>({
    schema: z.int().min(0).max(0xffff_ffff),
    // There is a right answer that nobody may leave out: old firmware has known holes.
    strict: true,
    suggested: 1,
    found: ({ svn }) => String(svn),
    holds: ({ svn }, expected) => svn >= expected,
    describe: (expected) => `at least ${expected}`,
    code: 'ATTESTATION_TCB_REFUSED',
  }),
}
