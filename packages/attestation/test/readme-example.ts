// SPDX-License-Identifier: Apache-2.0
import {
  activationReportData,
  createChallenge,
  createRequest,
  decideActivation,
  parsePolicy,
  verifyChallenge,
  verifyRequest,
} from '@mlcapsule/attestation'
import {
  createSimulatedRoot,
  simulatedAttester,
  simulatedTrustStore,
  simulatedVerifier,
} from '@mlcapsule/attestation/simulated'
import {
  cryptoReady,
  generateReleaseKeyPair,
  generateSigningKeyPair,
  keyThumbprint,
  randomBytes,
} from '@mlcapsule/crypto'

await cryptoReady()
const [authority, customer] = [generateSigningKeyPair(), generateSigningKeyPair()]
const capsule = { capsuleId: randomBytes(32), headerHash: randomBytes(32), minimumTier: 'none' } as const
const pinned = [keyThumbprint(authority.publicKey)]
const nowMs = Date.now()

// Provider: a challenge for one customer and one capsule, once, for ten minutes.
const { token, claims } = await createChallenge({
  authority,
  customerKey: customer.publicKey,
  order: 'order-1',
  capsuleId: capsule.capsuleId,
  purpose: 'activate',
  nowMs,
  lifetimeSeconds: 600,
})

// Enclave: checks who asks, makes its keys, and binds them into evidence.
const challenge = await verifyChallenge(token, { authority: pinned, capsuleId: capsule.capsuleId, nowMs })
const manifest = {
  version: 1 as const,
  entry: 'worker' as const,
  components: [{ name: 'enclave-core.mjs', sha384: '11'.repeat(48) }],
  plugins: [],
}
const enclave = {
  releaseKey: generateReleaseKeyPair().publicKey,
  identityKey: generateSigningKeyPair().publicKey,
  headerHash: capsule.headerHash,
  anchor: null,
  manifest,
}
const attester = simulatedAttester({ root: await createSimulatedRoot(), manifest })
const evidence = await attester.produce(activationReportData(challenge, enclave))
const request = await createRequest({ ...enclave, customer, challenge: token, evidence })

// Provider: verifies the evidence, and holds it against the policy. What stays unchecked says 'any'.
const policy = parsePolicy({
  version: 1,
  name: 'development',
  minimumTier: 'sgx',
  allowUnattested: ['worker'], // the owner of the machine can read the model
  manifests: 'any',
  maxEvidenceAgeSeconds: 'any',
  simulatedRoots: 'any',
  referenceSigners: [],
  platforms: {},
  tcbStatuses: 'any',
  advisories: 'any',
  debug: false,
})
export const decision = await decideActivation({
  request: await verifyRequest(request, pinned),
  challenge: { claims, answeredRequestHash: null },
  capsule,
  policy,
  verifiers: [simulatedVerifier],
  trustStores: [simulatedTrustStore('any')],
  nowMs,
})
// { status: 'accepted', attestation: { tier: 'none', unattested: true, … }, reportData }
