// SPDX-License-Identifier: Apache-2.0
import {
  activationReportData,
  authorityKeys,
  type Challenge,
  manifestDigest,
  openRelease,
  readChallenge,
  verifyChallenge,
  verifyResponse,
} from '@mlcapsule/attestation'
import type { ParsedHeader } from '@mlcapsule/capsule-format'
import type { Evidence } from '@mlcapsule/contracts'
import {
  equalBytes,
  type ReleaseKeyPair,
  releaseKeyPairFrom,
  Secret,
  type SigningKeyPair,
  signingKeyPairFrom,
  wipe,
} from '@mlcapsule/crypto'
import { BridgeError } from '@mlcapsule/enclave-bridge/protocol'
import { assertLicenseBinding, assertLicenseTime, type License, verifyLicense } from '@mlcapsule/metering'
import type { Host } from './host.ts'
import type { Platform } from './platform.ts'
import { type LicenseState, openPending, type SealContext, sealPending } from './sealed-records.ts'

/** An activation that waits for its response. */
export interface PendingActivation {
  readonly challenge: Challenge
  readonly releaseKey: ReleaseKeyPair
  readonly identity: SigningKeyPair
  readonly anchorValue: Uint8Array
}

export interface ActivationContext {
  readonly platform: Platform
  readonly host: Host
  readonly capsule: ParsedHeader
}

function sealContext({ platform, capsule }: ActivationContext): SealContext {
  return { platform, headerHash: capsule.headerHash }
}

function drawSecret<const Kind extends 'x25519-private' | 'ed25519-private'>(
  { random }: Platform,
  kind: Kind,
): Secret<Kind> {
  const bytes = random(32)
  const secret = Secret.fromBytes(kind, bytes)
  wipe(bytes)
  return secret
}

/** What this enclave is, as its evidence says it. */
function statementOf(
  { platform, capsule }: ActivationContext,
  pending: Omit<PendingActivation, 'anchorValue'>,
) {
  return {
    releaseKey: pending.releaseKey.publicKey,
    identityKey: pending.identity.publicKey,
    headerHash: capsule.headerHash,
    anchor: platform.anchor.descriptor,
    manifest: platform.manifest,
  }
}

/**
 * Answers a challenge: fresh keys for this one activation, and evidence that binds them to it.
 * @param flow `file` keeps the keys in a sealed record, so that the response may come after a restart
 * @throws AttestationError `CHALLENGE_*`; CryptoError `JWS_*`; BridgeError `ENCLAVE_STATE_INVALID` for another purpose
 * @see spec/activation.md
 */
export async function beginActivation(
  context: ActivationContext,
  challengeToken: string,
  flow: 'online' | 'file',
  nowMs: number,
): Promise<{ readonly pending: PendingActivation; readonly evidence: Evidence }> {
  const { platform, host, capsule } = context
  const { authority, capsuleId } = capsule.header
  const challenge = await verifyChallenge(challengeToken, { authority, capsuleId, nowMs })
  if (challenge.claims.purpose !== 'activate') {
    throw new BridgeError('ENCLAVE_STATE_INVALID', 'the challenge is not for an activation', {
      field: 'purpose',
    })
  }
  const anchorValue = await platform.anchor.read()
  const identitySeed = drawSecret(platform, 'ed25519-private')
  const pending: PendingActivation = {
    challenge,
    releaseKey: releaseKeyPairFrom(drawSecret(platform, 'x25519-private')),
    identity: signingKeyPairFrom(identitySeed),
    anchorValue,
  }
  try {
    const evidence = await platform.attest(activationReportData(challenge, statementOf(context, pending)))
    if (flow === 'file') {
      const record = await sealPending(sealContext(context), {
        releaseKey: pending.releaseKey.privateKey,
        identity: pending.identity.privateKey,
        anchorValue,
        challenge: challengeToken,
      })
      await host.writeRecord('pending', record)
    }
    return { pending, evidence }
  } catch (error) {
    wipePending(pending)
    throw error
  }
}

/**
 * Takes up an activation by files that an earlier process began.
 * @throws BridgeError `ENCLAVE_STATE_INVALID` where there is none; `ENCLAVE_RECORD_INVALID`, also when its response was
 * opened before: the anchor has moved on
 */
export async function loadPending(context: ActivationContext): Promise<PendingActivation> {
  const { platform, host, capsule } = context
  const record = await host.readRecord('pending')
  if (record === null) {
    throw new BridgeError('ENCLAVE_STATE_INVALID', 'no activation waits for a response', { field: 'pending' })
  }
  const state = await openPending(sealContext(context), record)
  if (!equalBytes(await platform.anchor.read(), state.anchorValue)) {
    wipe(state.releaseKey)
    wipe(state.identity)
    throw new BridgeError('ENCLAVE_RECORD_INVALID', 'the response of this activation was opened before', {
      field: 'pending',
    })
  }
  return {
    // Its time was checked when it was answered; the license has its own.
    challenge: await readChallenge(state.challenge, capsule.header.authority),
    releaseKey: releaseKeyPairFrom(state.releaseKey),
    identity: signingKeyPairFrom(state.identity),
    anchorValue: state.anchorValue,
  }
}

export function wipePending({ releaseKey, identity }: PendingActivation): void {
  wipe(releaseKey.privateKey)
  wipe(identity.privateKey)
}

/** Wipes what only the sealed record has to hold. */
export function wipeLicenseState({ contentKey, defenseSeed, stateKey }: LicenseState): void {
  wipe(contentKey)
  wipe(defenseSeed)
  wipe(stateKey)
}

/**
 * Verifies a license against what this enclave is.
 * @throws MeteringError `LICENSE_*`; CryptoError `JWS_*`
 */
export async function acceptLicense(
  { platform, capsule }: ActivationContext,
  token: string,
  identityKey: Uint8Array,
  nowMs: number,
): Promise<License> {
  const { header } = capsule
  const license = await verifyLicense(token, authorityKeys(token, header.authority))
  assertLicenseBinding(license.claims, {
    identityKey,
    anchorDescriptor: platform.anchor.descriptor,
    manifestSha384: manifestDigest(platform.manifest),
    modelId: header.modelId,
    modelVersion: header.modelVersion,
  })
  assertLicenseTime(license.claims, { nowMs })
  return license
}

/**
 * Checks a response and opens the keys in it.
 * @throws AttestationError `ACTIVATION_*`; MeteringError `LICENSE_*`; CryptoError `SEAL_OPEN_FAILED`, `JWS_*`
 */
export async function acceptResponse(
  context: ActivationContext,
  pending: PendingActivation,
  responseToken: string,
  nowMs: number,
): Promise<{ readonly license: License; readonly state: LicenseState }> {
  const { challenge, identity } = pending
  const { authority } = context.capsule.header
  const response = await verifyResponse(responseToken, { authority, challenge })
  const license = await acceptLicense(context, response.license, identity.publicKey, nowMs)
  const keys = await openRelease({
    privateKey: pending.releaseKey.privateKey,
    sealed: response.release,
    reportData: activationReportData(challenge, statementOf(context, pending)),
    license: response.license,
  })
  const { anchorValue } = pending
  return { license, state: { ...keys, identity: identity.privateKey, anchorValue, license: license.token } }
}
