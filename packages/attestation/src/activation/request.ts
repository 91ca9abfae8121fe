// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { fromBase64Url, jwsMaxSizeBytes, type SigningKeyPair, signJws, toBase64Url } from '@mlcapsule/crypto'
import { base64UrlOf, base64UrlUpTo, identifier } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { evidenceMaxSizeBytes } from '../evidence/evidence-size.ts'
import { type EnclaveManifest, manifestDigest, manifestSchema } from '../manifest/manifest.ts'
import { anchorDescriptorMaxSizeBytes, buildReportClaims, reportData } from '../report/claims.ts'
import { parseWith } from '../schema/parse.ts'
import { type Challenge, readChallenge, tokenHash } from './challenge.ts'
import { unverifiedText, verifySignedBy } from './signer.ts'

export const requestTyp = 'mlc-request+jwt'

const requestSchema = z.strictObject({
  challenge: z.string().max(jwsMaxSizeBytes),
  releaseKey: base64UrlOf(32),
  identity: base64UrlOf(32),
  headerHash: base64UrlOf(32),
  anchor: z.union([z.null(), base64UrlUpTo(anchorDescriptorMaxSizeBytes)]),
  manifest: manifestSchema,
  evidence: z.strictObject({ platform: identifier, bytes: base64UrlUpTo(evidenceMaxSizeBytes) }),
})

/** What an enclave shows of itself in an activation. */
export interface EnclaveStatement {
  /** X25519 key that the content key is to be sealed to, 32 bytes. */
  readonly releaseKey: Uint8Array
  /** Ed25519 key of the enclave, 32 bytes. */
  readonly identityKey: Uint8Array
  /** Hash of the capsule header that the enclave holds, 32 bytes. */
  readonly headerHash: Uint8Array
  readonly anchor: Uint8Array | null
  readonly manifest: EnclaveManifest
}

/**
 * The report data that evidence for this challenge has to bind. The enclave makes it from what it is, the provider from
 * what it expects.
 * @returns 64 bytes
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_MANIFEST_INVALID`
 */
export function activationReportData(challenge: Challenge, enclave: EnclaveStatement): Uint8Array {
  const claims = buildReportClaims({
    purpose: challenge.claims.purpose,
    nonce: challenge.nonce,
    releaseKey: enclave.releaseKey,
    identityKey: enclave.identityKey,
    capsuleId: challenge.capsuleId,
    headerHash: enclave.headerHash,
    order: challenge.claims.order,
    challengeSigner: challenge.signer,
    anchor: enclave.anchor,
    manifestSha384: manifestDigest(enclave.manifest),
  })
  return reportData(claims)
}

export interface CreateRequestInput extends EnclaveStatement {
  /** Key pair of the customer whom the challenge names. */
  readonly customer: SigningKeyPair
  /** The challenge, as received. */
  readonly challenge: string
  readonly evidence: Evidence
}

/**
 * Makes the request that goes to the provider. The customer's key signs it, outside the enclave.
 * @returns compact JWS of type `mlc-request+jwt`
 * @throws AttestationError `ACTIVATION_REQUEST_MALFORMED`
 */
export async function createRequest(input: CreateRequestInput): Promise<string> {
  const payload = {
    challenge: input.challenge,
    releaseKey: toBase64Url(input.releaseKey),
    identity: toBase64Url(input.identityKey),
    headerHash: toBase64Url(input.headerHash),
    anchor: input.anchor === null ? null : toBase64Url(input.anchor),
    manifest: input.manifest,
    evidence: { platform: input.evidence.platform, bytes: toBase64Url(input.evidence.bytes) },
  }
  const checked = parseWith(requestSchema, payload, 'ACTIVATION_REQUEST_MALFORMED', 'request')
  return await signJws({ typ: requestTyp, ...input.customer, payload: checked })
}

export interface ActivationRequest extends EnclaveStatement {
  readonly token: string
  /** SHA-256 of the token: the same request is the same bytes. */
  readonly hash: Uint8Array
  readonly challenge: Challenge
  readonly evidence: Evidence
}

/**
 * Checks that a request answers a challenge of ours and is signed by the customer whom that challenge names. Evidence and
 * time are for `decideActivation`.
 * @param authority thumbprints of the keys that sign challenges
 * @throws AttestationError `ACTIVATION_REQUEST_MALFORMED`, `ACTIVATION_BINDING_MISMATCH`, `CHALLENGE_SIGNER_UNKNOWN`,
 * `CHALLENGE_MALFORMED`; CryptoError `JWS_*`
 */
export async function verifyRequest(token: string, authority: readonly string[]): Promise<ActivationRequest> {
  const challenge = await readChallenge(unverifiedText(token, 'challenge') ?? '', authority)
  const verified = await verifySignedBy(token, {
    typ: requestTyp,
    keys: [challenge.customerKey],
    unknownSigner: 'ACTIVATION_BINDING_MISMATCH',
    who: 'the customer whom the challenge names',
  })
  const request = parseWith(requestSchema, verified.payload, 'ACTIVATION_REQUEST_MALFORMED', 'request')
  return {
    token,
    hash: tokenHash(token),
    challenge,
    releaseKey: fromBase64Url(request.releaseKey),
    identityKey: fromBase64Url(request.identity),
    headerHash: fromBase64Url(request.headerHash),
    anchor: request.anchor === null ? null : fromBase64Url(request.anchor),
    manifest: request.manifest,
    evidence: { platform: request.evidence.platform, bytes: fromBase64Url(request.evidence.bytes) },
  }
}
