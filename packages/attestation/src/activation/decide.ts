// SPDX-License-Identifier: Apache-2.0
import type { IsolationTier } from '@mlcapsule/contracts'
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { appraise } from '../appraise/appraise.ts'
import type { AcceptedEnclave, RefusalReason } from '../appraise/result.ts'
import type { Collateral } from '../collateral/collateral.ts'
import { AttestationError } from '../errors.ts'
import { type EvidenceVerifier, type TrustStore, verifyEvidence } from '../evidence/verifier.ts'
import { manifestDigest } from '../manifest/manifest.ts'
import { type AttestationPolicy, admitTrustStores } from '../policy/policy.ts'
import type { ReferenceValue } from '../reference/reference-value.ts'
import { parseWith } from '../schema/parse.ts'
import { assertChallengeTime, type ChallengeClaims, challengeSchema } from './challenge.ts'
import { type ActivationRequest, activationReportData } from './request.ts'

/** What the provider remembers of a challenge. */
export interface ChallengeRecord {
  readonly claims: ChallengeClaims
  /** `hash` of the request that it was answered for, once it was. */
  readonly answeredRequestHash: Uint8Array | null
}

export interface DecideActivationInput {
  readonly request: ActivationRequest
  readonly challenge: ChallengeRecord
  /** The capsule as the provider packed it. */
  readonly capsule: {
    readonly capsuleId: Uint8Array
    readonly headerHash: Uint8Array
    readonly minimumTier: IsolationTier
  }
  readonly policy: AttestationPolicy
  readonly verifiers: readonly EvidenceVerifier[]
  readonly trustStores: readonly TrustStore[]
  /** What the vendors say; none where only platforms are accepted whose evidence brings all that it needs. */
  readonly collateral?: Collateral
  /** By signers whom the policy names. */
  readonly references?: readonly ReferenceValue[]
  readonly nowMs: number
  /** As of `verifyEvidence`. */
  readonly newestSeenMs?: number
}

export type ActivationDecision =
  /** These very bytes were answered before: give the stored response again. */
  | { readonly status: 'repeated' }
  /** Release the key, bound to `reportData`. */
  | {
      readonly status: 'accepted'
      readonly attestation: AcceptedEnclave
      readonly reportData: Uint8Array
      /** As of `VerifiedEvidence`, null where nothing says: to be kept for `newestSeenMs` of later decisions. */
      readonly newestSignedAtMs: number | null
    }
  | { readonly status: 'refused'; readonly reasons: readonly RefusalReason[] }

/**
 * Decides about a request, from nothing but its arguments. The caller does the rest in one transaction: consume the
 * challenge, carve the grant, store the response.
 * @see spec/activation.md §3
 */
export async function decideActivation(input: DecideActivationInput): Promise<ActivationDecision> {
  try {
    return await decide(input)
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { status: 'refused', reasons: [{ code: error.code, detail: error.message }] }
  }
}

async function decide(input: DecideActivationInput): Promise<ActivationDecision> {
  const { request, policy, nowMs } = input
  assertSameChallenge(request.challenge.claims, input.challenge.claims)
  const answered = input.challenge.answeredRequestHash
  if (answered !== null) {
    if (equalBytes(answered, request.hash)) return { status: 'repeated' }
    const detail = 'this challenge was answered for another request'
    throw new AttestationError('ACTIVATION_REPLAYED', detail, { field: 'request.challenge' })
  }
  assertChallengeTime(request.challenge.claims, nowMs)
  assertCapsule(input)
  const trustStores = admitTrustStores(policy, input.trustStores)
  // Rebuilt from what is expected: evidence that binds anything else does not verify.
  const expectedReportData = activationReportData(request.challenge, {
    ...request,
    headerHash: input.capsule.headerHash,
  })
  const verified = await verifyEvidence({
    evidence: request.evidence,
    verifiers: input.verifiers,
    trustStores,
    nowMs,
    expectedReportData,
    ...(input.collateral === undefined ? {} : { collateral: input.collateral }),
    ...(input.newestSeenMs === undefined ? {} : { newestSeenMs: input.newestSeenMs }),
  })
  const attestation = appraise(verified, policy, {
    nowMs,
    nonceIssuedAtMs: request.challenge.claims.iat * 1000,
    manifest: request.manifest,
    capsuleMinimumTier: input.capsule.minimumTier,
    verifiers: input.verifiers,
    references: input.references ?? [],
  })
  if (attestation.status === 'refused') return { status: 'refused', reasons: attestation.reasons }
  const { manifest } = request
  const shown = { entry: manifest.entry, manifestSha384: toHex(manifestDigest(manifest)) }
  return {
    status: 'accepted',
    attestation: { ...attestation, ...shown },
    reportData: expectedReportData,
    newestSignedAtMs: verified.newestSignedAtMs ?? null,
  }
}

/** The schema puts members in one order, so equal claims are equal texts. */
function canonicalClaims(claims: ChallengeClaims): string {
  return JSON.stringify(parseWith(challengeSchema, claims, 'CHALLENGE_MALFORMED', 'challenge'))
}

function assertSameChallenge(shown: ChallengeClaims, stored: ChallengeClaims): void {
  if (canonicalClaims(shown) === canonicalClaims(stored)) return
  throw new AttestationError('ACTIVATION_BINDING_MISMATCH', 'the request answers another challenge', {
    field: 'request.challenge',
  })
}

function assertCapsule({ request, capsule }: DecideActivationInput): void {
  const fields = [
    ['request.challenge.capsuleId', request.challenge.capsuleId, capsule.capsuleId],
    ['request.headerHash', request.headerHash, capsule.headerHash],
  ] as const
  for (const [field, shown, expected] of fields) {
    if (equalBytes(shown, expected)) continue
    throw new AttestationError('ACTIVATION_BINDING_MISMATCH', `${field} is not that of the capsule`, {
      field,
    })
  }
}
