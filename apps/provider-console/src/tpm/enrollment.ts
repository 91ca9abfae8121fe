// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '@mlcapsule/attestation'
import {
  type EnrollmentAnswer,
  type EnrollmentOffer,
  type EnrollmentRequest,
  issueAkCredential,
  offerAkCredential,
  verifyEnrollmentRequest,
} from '@mlcapsule/attestation/tpm'
import { signingKeyPairFrom, wipe } from '@mlcapsule/crypto'
import { readKeyFile } from '../keys/key-file.ts'
import { ensureSigningKey } from '../keys/keygen.ts'
import { storePaths } from '../store/paths.ts'
import { type PendingEnrollment, pendingEnrollments } from './pending.ts'
import { tpmRoots } from './roots.ts'

const daySeconds = 86_400

export interface OfferInput {
  readonly request: EnrollmentRequest
  /** Files of authorities that the request does not bring: PEM or DER. */
  readonly intermediates: readonly Uint8Array[]
  /** DER, or `'unchecked'`. */
  readonly revocationLists: readonly Uint8Array[] | 'unchecked'
  /** Of the credential that an answer earns. */
  readonly lifetimeDays: number
  readonly nowMs: number
}

export interface MadeOffer {
  readonly offer: EnrollmentOffer
  readonly ekRootSpkiSha256: string
}

/**
 * Seals a credential for a client's TPM, and keeps the enrollment until it is answered.
 * @throws AttestationError as `verifyEnrollmentRequest` and `offerAkCredential` do: then nothing is kept; ProviderError
 * `PROVIDER_TPM_FULL`, `PROVIDER_STORE_EXPOSED`, `PROVIDER_FILE_*`
 */
export async function offerEnrollment(storeDir: string, input: OfferInput): Promise<MadeOffer> {
  const { request, lifetimeDays, nowMs } = input
  const roots = (await tpmRoots(storeDir).list()).map(({ der }) => der)
  const ek = await verifyEnrollmentRequest({ ...input, roots })
  const { sealed, pending } = await offerAkCredential(ek, request.akPublic)
  const id = await pendingEnrollments(storeDir).add(pending, lifetimeDays, nowMs)
  const { akName, ekRootSpkiSha256 } = pending
  return { offer: { id, akName, ek: ek.protection.kind, sealed }, ekRootSpkiSha256 }
}

export interface IssuedCredential {
  /** `mlc-ak+jwt`. */
  readonly token: string
  /** Lower-case hex. */
  readonly akName: string
  readonly ekRootSpkiSha256: string
  readonly expiresAtMs: number
}

/**
 * Signs the credential that an answer earns, with the store's own key for it. The enrollment is gone then, whatever came of it.
 * @throws ProviderError `PROVIDER_ENROLLMENT_UNKNOWN`, `PROVIDER_ENROLLMENT_EXPIRED`, `PROVIDER_KEY_FILE_*`; AttestationError
 * `ATTESTATION_ENDORSEMENT_MISMATCH` for another answer, `ATTESTATION_ROOT_UNKNOWN` where the root is not trusted any more
 */
export async function issueCredential(
  storeDir: string,
  { id, answer }: EnrollmentAnswer,
  nowMs: number,
): Promise<IssuedCredential> {
  // Before the enrollment is taken: where the key cannot be had, it still waits.
  await ensureSigningKey(storeDir, 'tpm')
  const authority = signingKeyPairFrom(await readKeyFile(storePaths(storeDir).privateKey('tpm'), 'tpm'))
  try {
    const pending = await pendingEnrollments(storeDir).take(id, nowMs)
    await assertRootTrusted(storeDir, pending)
    const lifetimeSeconds = pending.lifetimeDays * daySeconds
    const token = await issueAkCredential({ pending, answer, authority, nowMs, lifetimeSeconds })
    const { akName, ekRootSpkiSha256 } = pending
    return { token, akName, ekRootSpkiSha256, expiresAtMs: nowMs + 1000 * lifetimeSeconds }
  } finally {
    wipe(authority.privateKey)
  }
}

async function assertRootTrusted(storeDir: string, { ekRootSpkiSha256 }: PendingEnrollment): Promise<void> {
  if ((await tpmRoots(storeDir).pins()).includes(ekRootSpkiSha256)) return
  const detail = `root ${ekRootSpkiSha256} of this TPM's maker is not trusted any more`
  throw new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'answer.id' })
}
