// SPDX-License-Identifier: Apache-2.0
import {
  cryptoReady,
  generateSigningKeyPair,
  keyThumbprint,
  releaseKeyPairFrom,
  Secret,
  type SigningKeyPair,
  utf8Bytes,
} from '@mlcapsule/crypto'
import { seeded, seededRandom } from '@mlcapsule/crypto/testing'
import {
  activationReportData,
  type Challenge,
  createChallenge,
  createRequest,
  type EnclaveManifest,
  type EnclaveStatement,
  parsePolicy,
} from '../src/index.ts'
import { simulatedAttester } from '../src/simulated/index.ts'

export const nowMs = Date.UTC(2026, 0, 15, 12)

export const manifest: EnclaveManifest = {
  version: 1,
  entry: 'worker',
  components: [
    { name: 'enclave-core.mjs', sha384: '11'.repeat(48) },
    { name: 'entry-worker.mjs', sha384: '22'.repeat(48) },
  ],
  plugins: [
    { kind: 'kernel-backend', name: 'wasm', version: 1 },
    { kind: 'defense', name: 'rounding', version: 1 },
  ],
}

export const policyJson = {
  version: 1,
  name: 'development',
  minimumTier: 'sgx',
  allowUnattested: ['worker'],
  manifests: 'any',
  maxEvidenceAgeSeconds: 'any',
  simulatedRoots: 'any',
  referenceSigners: [],
  platforms: {},
  tcbStatuses: 'any',
  advisories: 'any',
  debug: false,
}
export const policy = parsePolicy(policyJson)

/** Keys of all parties, a capsule, and a challenge with the request that answers it. */
export async function createWorld() {
  await cryptoReady()
  const pair = (name: string): SigningKeyPair => generateSigningKeyPair(seeded(name))
  const authority = pair('authority')
  const customer = pair('customer')
  const identity = pair('identity')
  const root = pair('simulated root')
  const release = releaseKeyPairFrom(Secret.fromBytes('x25519-private', seeded('release key')))
  const capsule = {
    capsuleId: seeded('capsule'),
    headerHash: seeded('header'),
    minimumTier: 'simulated' as const,
  }
  const enclave: EnclaveStatement = {
    releaseKey: release.publicKey,
    identityKey: identity.publicKey,
    headerHash: capsule.headerHash,
    anchor: utf8Bytes('anchor descriptor'),
    manifest,
  }
  const issue = (changes: Partial<Parameters<typeof createChallenge>[0]> = {}): Promise<Challenge> =>
    createChallenge({
      authority,
      customerKey: customer.publicKey,
      order: 'order-1',
      capsuleId: capsule.capsuleId,
      purpose: 'activate',
      nowMs,
      lifetimeSeconds: 600,
      random: seededRandom('challenge'),
      ...changes,
    })
  const answer = async (challenge: Challenge, changes: Partial<EnclaveStatement> = {}, signer = customer) => {
    const attester = simulatedAttester({ root, manifest: enclave.manifest })
    const evidence = await attester.produce(activationReportData(challenge, enclave))
    return await createRequest({
      ...enclave,
      customer: signer,
      challenge: challenge.token,
      evidence,
      ...changes,
    })
  }
  const challenge = await issue()
  const trusted = [keyThumbprint(authority.publicKey)]
  return {
    authority,
    customer,
    identity,
    root,
    release,
    capsule,
    enclave,
    issue,
    answer,
    challenge,
    trusted,
    pair,
  }
}

export type World = Awaited<ReturnType<typeof createWorld>>
