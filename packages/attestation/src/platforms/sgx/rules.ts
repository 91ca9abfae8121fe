// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { type PlatformRules, platformRule } from '../../appraise/rules.ts'
import { svn16 } from '../dcap/json-fields.ts'
import { minimumTcbEvaluationDataNumber, oneOfRegister, platforms } from '../dcap/rules.ts'
import { type SgxClaims, sgxFlags } from './claims.ts'

/** A signer alone says nothing: it also signed the old versions, and its other products. */
const identity = z.union([
  z.strictObject({ mrEnclave: hexOf(32) }),
  z.strictObject({ mrSigner: hexOf(32), isvProdId: svn16, minimumIsvSvn: svn16 }),
])

export type SgxIdentity = z.infer<typeof identity>

function isIdentity(claims: SgxClaims, expected: SgxIdentity): boolean {
  if ('mrEnclave' in expected) return claims.mrEnclave === expected.mrEnclave
  return (
    claims.mrSigner === expected.mrSigner &&
    claims.isvProdId === expected.isvProdId &&
    claims.isvSvn >= expected.minimumIsvSvn
  )
}

/** DEBUG is left out: an appraisal checks it by itself, and no policy can allow it. */
const allowedFlag = z.enum(sgxFlags.filter((it) => it !== 'DEBUG'))

/** What a policy's section about SGX holds. */
export const sgxRules: PlatformRules<SgxClaims> = {
  /** Which enclaves. */
  identities: platformRule<SgxClaims, readonly SgxIdentity[]>({
    schema: z.array(identity).min(1).max(256),
    suggested: 'any',
    found: ({ mrEnclave, mrSigner, isvProdId, isvSvn }) =>
      `MRENCLAVE ${mrEnclave}, MRSIGNER ${mrSigner}, ISVPRODID ${isvProdId}, ISVSVN ${isvSvn}`,
    holds: (claims, expected) => expected.some((it) => isIdentity(claims, it)),
    code: 'ATTESTATION_MEASUREMENT_UNKNOWN',
  }),
  /** Which attribute flags may be set. */
  attributes: platformRule<SgxClaims, readonly string[]>({
    schema: z.array(allowedFlag).max(sgxFlags.length),
    suggested: ['INIT', 'MODE64BIT', 'CET', 'KSS', 'AEX_NOTIFY'],
    found: ({ flags }) => flags.join(', '),
    holds: ({ flags }, allowed) => flags.every((it) => it === 'DEBUG' || allowed.includes(it)),
    describe: (allowed) => `no others than ${allowed.join(', ')}`,
    code: 'ATTESTATION_PLATFORM_REFUSED',
  }),
  /** With KSS, whoever starts an enclave can give it this. */
  configId: oneOfRegister(
    64,
    'ATTESTATION_MEASUREMENT_UNKNOWN',
    ['00'.repeat(64)],
    ({ configId }) => configId,
  ),
  minimumTcbEvaluationDataNumber,
  platforms,
}
