// SPDX-License-Identifier: Apache-2.0
import { fromHex, sha256, toHex } from '@mlcapsule/crypto'
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRule, platformRule } from '../../appraise/rules.ts'
import type { AttestationErrorCode } from '../../errors.ts'
import type { DcapClaims } from './claims.ts'

/** A register has to have one of the values that are listed, hex. */
export function oneOfRegister<Claims>(
  sizeBytes: number,
  code: AttestationErrorCode,
  suggested: 'any' | readonly string[],
  found: (claims: Claims) => string,
): PlatformRule<Claims> {
  return platformRule<Claims, readonly string[]>({
    schema: z.array(hexOf(sizeBytes)).min(1).max(256),
    suggested,
    found,
    holds: (claims, expected) => expected.includes(found(claims)),
    describe: (expected) => `one of ${expected.join(', ')}`,
    code,
  })
}

/** Both the TCB info and the quoting enclave's identity have to be of this evaluation of Intel's, or of a later one. */
export const minimumTcbEvaluationDataNumber = platformRule<DcapClaims, number>({
  schema: z.int().min(1).max(1_000_000),
  suggested: 'any',
  found: (claims) => String(evaluationOf(claims)),
  holds: (claims, expected) => evaluationOf(claims) >= expected,
  describe: (expected) => `${expected} or later`,
  code: 'ATTESTATION_COLLATERAL_EXPIRED',
})

function evaluationOf({ tcbEvaluationDataNumber, qeTcbEvaluationDataNumber }: DcapClaims): number {
  return Math.min(tcbEvaluationDataNumber, qeTcbEvaluationDataNumber)
}

/** Machines, by the PPID of their PCK certificates. Results show only the start of a hash of it. */
export const platforms = platformRule<DcapClaims, readonly string[]>({
  schema: z.array(hexOf(16)).min(1).max(65_536),
  suggested: 'any',
  found: ({ pck }) => `a platform whose PPID hashes to ${toHex(sha256(fromHex(pck.ppid))).slice(0, 8)}…`,
  holds: ({ pck }, expected) => expected.includes(pck.ppid),
  describe: (expected) => `one of ${expected.length} platforms`,
  code: 'ATTESTATION_PLATFORM_REFUSED',
})
