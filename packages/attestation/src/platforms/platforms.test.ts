// SPDX-License-Identifier: Apache-2.0
import { generateSigningKeyPair, keyThumbprint, type SigningKeyPair, toHex } from '@mlcapsule/crypto'
import { seeded } from '@mlcapsule/crypto/testing'
import { beforeAll, describe, expect, test } from 'vitest'
import { verificationInputs } from '../../test/all-platforms.ts'
import { chainNowMs } from '../../test/certificates.ts'
import { manifest, policyJson } from '../../test/world.ts'
import { appraise } from '../appraise/appraise.ts'
import {
  type EvidenceVerifier,
  type VerifiedEvidence,
  type VerifyEvidenceInput,
  verifyEvidence,
} from '../evidence/verifier.ts'
import { manifestDigest } from '../manifest/manifest.ts'
import { parsePolicy } from '../policy/policy.ts'
import { signReference, verifyReference } from '../reference/reference-value.ts'
import { nitroVerifier } from './nitro/index.ts'
import { sevSnpVerifier } from './sev-snp/index.ts'

const verifiers: readonly EvidenceVerifier[] = [sevSnpVerifier, nitroVerifier]
let signer: SigningKeyPair
let inputs: Readonly<Record<string, VerifyEvidenceInput>>

beforeAll(async () => {
  inputs = await verificationInputs()
  signer = generateSigningKeyPair(seeded('reference signer'))
})

const suggestedSections = () =>
  Object.fromEntries(
    verifiers.map(({ name, rules }) => [
      name,
      Object.fromEntries(Object.entries(rules).map(([rule, { suggested }]) => [rule, suggested])),
    ]),
  )

/** Codes of a policy that takes what new policies are written with, and of one manifest alone. */
async function codesOf(verified: VerifiedEvidence, measurement: Readonly<Record<string, string>>) {
  const token = await signReference({
    signer,
    release: '1.0.0',
    platform: verified.platform,
    measurement,
    manifest: toHex(manifestDigest(manifest)),
  })
  const thumbprint = keyThumbprint(signer.publicKey)
  const policy = parsePolicy(
    {
      ...policyJson,
      allowUnattested: [],
      simulatedRoots: [],
      manifests: [{ sha384: toHex(manifestDigest(manifest)) }],
      referenceSigners: [thumbprint],
      platforms: suggestedSections(),
      tcbStatuses: ['none'],
      advisories: [],
    },
    verifiers,
  )
  const result = appraise(verified, policy, {
    nowMs: chainNowMs,
    nonceIssuedAtMs: chainNowMs - 1000,
    manifest,
    capsuleMinimumTier: 'sgx',
    verifiers,
    references: [await verifyReference(token, [thumbprint])],
  })
  return result.status === 'accepted' ? [] : result.reasons.map(({ code }) => code)
}

describe.each(['sev-snp', 'nitro'])('%s', (platform) => {
  test('evidence leads to a manifest by a signed reference value, under what new policies are written with', async () => {
    const verified = await verifyEvidence(inputs[platform] as VerifyEvidenceInput)
    expect(await codesOf(verified, verified.measurement)).toEqual([])
  })

  test('#55 #57 a reference value that names another value, or too few registers, leads nowhere', async () => {
    const verified = await verifyEvidence(inputs[platform] as VerifyEvidenceInput)
    const entries = Object.entries(verified.measurement)
    const unknown = ['ATTESTATION_MEASUREMENT_UNKNOWN']
    for (const [name, value] of entries) {
      const other = { ...verified.measurement, [name]: value.replace(/^../, 'ee') }
      expect(await codesOf(verified, other)).toEqual(unknown)
    }
    const [[first]] = sevSnpVerifier.identifyingRegisters as [[string]]
    const left = platform === 'sev-snp' ? first : 'pcr2'
    expect(await codesOf(verified, Object.fromEntries(entries.filter(([it]) => it !== left)))).toEqual(
      unknown,
    )
  })

  test('#78 a clock behind what the vendor has signed', async () => {
    const input = inputs[platform] as VerifyEvidenceInput
    const { newestSignedAtMs } = await verifyEvidence(input)
    expect(newestSignedAtMs).toBeLessThanOrEqual(chainNowMs)
    const later = { ...input, newestSeenMs: chainNowMs + 1 }
    await expect(verifyEvidence(later)).rejects.toMatchObject({ code: 'ATTESTATION_CLOCK_BEHIND' })
    await expect(verifyEvidence({ ...input, newestSeenMs: newestSignedAtMs ?? 0 })).resolves.toMatchObject({
      platform,
    })
  })

  test('#15 #16 evidence under the name of the other platform', async () => {
    const other = platform === 'nitro' ? 'sev-snp' : 'nitro'
    const { evidence } = inputs[platform] as VerifyEvidenceInput
    const input = { ...(inputs[other] as VerifyEvidenceInput), evidence: { ...evidence, platform: other } }
    await expect(verifyEvidence(input)).rejects.toMatchObject({
      code: expect.stringMatching(/^ATTESTATION_EVIDENCE_(MALFORMED|UNSUPPORTED)$/) as string,
    })
  })
})
