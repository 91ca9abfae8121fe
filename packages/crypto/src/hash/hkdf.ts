// SPDX-License-Identifier: Apache-2.0
import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '../encoding/bytes.ts'
import { CryptoError } from '../errors.ts'
import type { DerivationKeyKind, SecretKind } from '../secret/kinds.ts'
import { expose, Secret, wipe } from '../secret/secret.ts'
import { domain } from './hash.ts'

/** A secret, or bytes that stand in for an absent one (32 zero bytes, say). */
export type KeyMaterial = Secret | Uint8Array

function bytesOf(material: KeyMaterial): Uint8Array {
  return material instanceof Secret ? expose(material, material.kind) : material
}

/**
 * HKDF-Extract with SHA-256 (RFC 5869 §2.2).
 * @param inputKeyMaterial one or several; several are concatenated
 */
export function hkdfExtract(
  salt: Uint8Array,
  inputKeyMaterial: KeyMaterial | readonly KeyMaterial[],
): Secret<'prk'> {
  const parts: readonly KeyMaterial[] = Array.isArray(inputKeyMaterial)
    ? inputKeyMaterial
    : [inputKeyMaterial as KeyMaterial]
  const joined = concatBytes(...parts.map(bytesOf))
  const prk = extract(sha256, joined, salt)
  wipe(joined)
  return takeSecret('prk', prk)
}

/**
 * KDF(k, label, context) = HKDF-Expand-SHA256(k, D(label) ‖ context, 32) (RFC 5869 §2.3).
 * @param kind what the derived key is for; every kind has 32 bytes
 */
export function deriveSubkey<const Kind extends SecretKind>(
  key: Secret<DerivationKeyKind>,
  label: string,
  context: Uint8Array,
  kind: Kind,
): Secret<Kind> {
  return takeSecret(kind, expandLabeled(key, label, context))
}

/** The same derivation where the result is public, as a key commitment is. */
export function deriveCommitment(key: Secret<'prk'>, label: string, context: Uint8Array): Uint8Array {
  return expandLabeled(key, label, context)
}

function expandLabeled(key: Secret<DerivationKeyKind>, label: string, context: Uint8Array): Uint8Array {
  if (key.kind !== 'prk' && key.kind !== 'defense-seed') {
    const detail = 'keys are derived from a prk or a defense-seed only'
    throw new CryptoError('KEY_KIND_MISMATCH', detail, { field: 'key' })
  }
  return expand(sha256, expose(key, key.kind), concatBytes(domain(label), context), 32)
}

function takeSecret<Kind extends SecretKind>(kind: Kind, bytes: Uint8Array): Secret<Kind> {
  const secret = Secret.fromBytes(kind, bytes)
  wipe(bytes)
  return secret
}
