// SPDX-License-Identifier: Apache-2.0
import { equalBytes, fromHex, randomBytes, type SigningKeyPair, sha256, toHex, wipe } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { signAkCredential } from './ak-credential.ts'
import type { EndorsementKey } from './endorsement-key.ts'
import { answerSizeBytes } from './enrollment-files.ts'
import { makeCredential, type SealedCredential } from './make-credential.ts'
import { assertAttestationKey, parsePublicArea } from './public-area.ts'

/** What the authority keeps while the TPM opens the credential. It holds no secret: only the hash of the answer. */
export interface PendingAttestationKey {
  /** Lower-case hex, all of them. */
  readonly akName: string
  readonly ekSpkiSha256: string
  readonly ekRootSpkiSha256: string
  readonly answerSha256: string
}

export interface AttestationKeyOffer {
  /** For the TPM. */
  readonly sealed: SealedCredential
  readonly pending: PendingAttestationKey
}

/**
 * Begins the enrollment of an attestation key: whoever answers holds it in the TPM of this endorsement key.
 * @param akPublic TPMT_PUBLIC of the attestation key, as its TPM gives it
 * @throws AttestationError as `parsePublicArea` and `assertAttestationKey` do: no other key gets an offer
 * @see TPM 2.0 Library, Part 1, §24 (credential protection)
 */
export async function offerAkCredential(
  ek: EndorsementKey,
  akPublic: Uint8Array,
): Promise<AttestationKeyOffer> {
  const ak = parsePublicArea(akPublic)
  assertAttestationKey(ak)
  const secret = randomBytes(answerSizeBytes)
  try {
    const sealed = await makeCredential(ek, ak.name, secret)
    const { ekSpkiSha256, ekRootSpkiSha256 } = ek
    const answerSha256 = toHex(sha256(secret))
    return { sealed, pending: { akName: toHex(ak.name), ekSpkiSha256, ekRootSpkiSha256, answerSha256 } }
  } finally {
    wipe(secret)
  }
}

export interface IssueAkCredentialInput {
  /** Used once, and forgotten by the caller whatever comes of it. */
  readonly pending: PendingAttestationKey
  /** What the TPM found in the sealed credential. */
  readonly answer: Uint8Array
  readonly authority: SigningKeyPair
  readonly nowMs: number
  readonly lifetimeSeconds: number
}

/**
 * Ends the enrollment.
 * @returns `mlc-ak+jwt`, for the evidence of this attestation key
 * @throws AttestationError `ATTESTATION_ENDORSEMENT_MISMATCH` for another answer
 */
export async function issueAkCredential(input: IssueAkCredentialInput): Promise<string> {
  const { pending, answer, authority, nowMs, lifetimeSeconds } = input
  if (!equalBytes(sha256(answer), fromHex(pending.answerSha256))) {
    const detail = 'the answer is not what was sealed: the keys do not live in one TPM'
    throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'answer' })
  }
  return await signAkCredential({
    authority,
    nowMs,
    expiresAtMs: nowMs + 1000 * lifetimeSeconds,
    akName: fromHex(pending.akName),
    ekSpkiSha256: pending.ekSpkiSha256,
    ekRootSpkiSha256: pending.ekRootSpkiSha256,
  })
}
