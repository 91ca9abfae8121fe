// SPDX-License-Identifier: Apache-2.0

/** Size of each kind of secret. A secret serves the purpose that its kind names, and no other. */
export const secretSizesBytes = {
  /** CK: drawn per packing; all keys of a capsule derive from it. */
  'content-key': 32,
  /** Opens the pages of one blob of one capsule. */
  'page-key': 32,
  /** The provider's half of the key over an enclave's state. */
  'state-key': 32,
  /** The platform's half of the key over an enclave's state. */
  'platform-key': 32,
  /** Seals one record of an enclave's state. */
  'record-key': 32,
  /** Seals data that a service stores at rest. */
  'storage-key': 32,
  /** Root of the keyed noise and watermarks of one customer and model. */
  'defense-seed': 32,
  /** Output of HKDF-Extract; keys are derived from it, nothing else. */
  prk: 32,
  /** Key of an HMAC that is not part of HKDF. */
  'hmac-key': 32,
  /** RFC 8032 private key (the seed). */
  'ed25519-private': 32,
  /** RFC 7748 private key. */
  'x25519-private': 32,
  /** Authorization value of an anchor. */
  'anchor-auth': 32,
} as const

export type SecretKind = keyof typeof secretSizesBytes

/** Kinds that seal and open. */
export type AeadKeyKind = 'page-key' | 'record-key' | 'storage-key'

/** Kinds that other keys are derived from. */
export type DerivationKeyKind = 'prk' | 'defense-seed'
