// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, keyThumbprint, type SigningKeyPair, signJws, toBase64Url } from '@mlcapsule/crypto'
import { base64UrlOf, hexOf, identifier, pluginName } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { authorityKeys, unverifiedText, verifySignedBy } from '../activation/signer.ts'
import type { VerifiedEvidence } from '../evidence/verifier.ts'
import { parseWith } from '../schema/parse.ts'

export const referenceTyp = 'mlc-reference+jwt'

export const registerName = z.string().regex(/^[a-z][A-Za-z0-9]{0,31}$/)
export const registerValue = z.string().regex(/^(?:[0-9a-f]{2}){1,64}$/)

const referenceSchema = z.strictObject({
  iss: base64UrlOf(32),
  version: z.literal(1),
  /** Name and version of what was built. */
  release: identifier,
  platform: pluginName,
  measurement: z.record(registerName, registerValue),
  manifest: hexOf(48),
})

/**
 * A signer's word for what a platform's measurement means (reference value of RFC 9334 §8.3): who measures this, runs that
 * manifest.
 */
export interface ReferenceValue {
  readonly release: string
  readonly platform: string
  /** Registers by name, lower-case hex. */
  readonly measurement: Readonly<Record<string, string>>
  /** SHA-384 of the manifest, lower-case hex. */
  readonly manifest: string
  /** Thumbprint of the key that signed it. */
  readonly signer: string
}

export interface SignReferenceInput extends Omit<ReferenceValue, 'signer'> {
  readonly signer: SigningKeyPair
}

/**
 * @returns compact JWS of type `mlc-reference+jwt`
 * @throws AttestationError `ATTESTATION_REFERENCE_INVALID`
 * @see spec/evidence.md §8
 */
export async function signReference({ signer, ...value }: SignReferenceInput): Promise<string> {
  const payload = { iss: toBase64Url(signer.publicKey), version: 1, ...value }
  const checked = parseWith(referenceSchema, payload, 'ATTESTATION_REFERENCE_INVALID', 'reference')
  return await signJws({ typ: referenceTyp, ...signer, payload: checked })
}

/**
 * Checks signer and form.
 * @param signers thumbprints of the keys that may sign: a policy's `referenceSigners`
 * @throws AttestationError `ATTESTATION_REFERENCE_INVALID`; CryptoError `JWS_*`
 */
export async function verifyReference(token: string, signers: readonly string[]): Promise<ReferenceValue> {
  const verified = await verifySignedBy(token, {
    typ: referenceTyp,
    keys: authorityKeys(token, signers),
    unknownSigner: 'ATTESTATION_REFERENCE_INVALID',
    who: 'a signer of reference values whom the policy names',
  })
  const { release, platform, measurement, manifest } = parseWith(
    referenceSchema,
    verified.payload,
    'ATTESTATION_REFERENCE_INVALID',
    'reference',
  )
  return { release, platform, measurement, manifest, signer: keyThumbprint(verified.publicKey) }
}

/**
 * Reads one under the key that it names itself: it is whole and unchanged, and may be by anyone. For showing and storing,
 * not for trusting.
 * @throws AttestationError `ATTESTATION_REFERENCE_INVALID`; CryptoError `JWS_*`, `KEY_ENCODING_INVALID`
 */
export async function readReference(token: string): Promise<ReferenceValue> {
  const issuer = unverifiedText(token, 'iss')
  return await verifyReference(token, issuer?.length === 43 ? [keyThumbprint(fromBase64Url(issuer))] : [])
}

/**
 * The reference value that what was measured is an instance of: of this platform, equal in every register that it names,
 * and naming all registers of one of the lists. One that names fewer says nothing.
 */
export function findReference(
  references: readonly ReferenceValue[],
  { platform, measurement }: VerifiedEvidence,
  identifyingRegisters: readonly (readonly string[])[],
): ReferenceValue | undefined {
  return references.find(
    (it) =>
      it.platform === platform &&
      identifyingRegisters.some((list) => list.every((name) => Object.hasOwn(it.measurement, name))) &&
      Object.entries(it.measurement).every(
        ([name, value]) => Object.hasOwn(measurement, name) && measurement[name] === value,
      ),
  )
}
