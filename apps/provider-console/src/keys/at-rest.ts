// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  deriveSubkey,
  domain,
  expose,
  hmacSha256,
  keyThumbprintBytes,
  openAead,
  randomBytes,
  Secret,
  sealAead,
  utf8Bytes,
  wipe,
} from '@mlcapsule/crypto'

const nonceSizeBytes = 12

function storageKey(serviceKey: Secret<'prk'>, capsuleId: Uint8Array): Secret<'storage-key'> {
  return deriveSubkey(serviceKey, 'provider-content-key', capsuleId, 'storage-key')
}

const associatedData = (capsuleId: Uint8Array) => concatBytes(domain('provider-content-key'), capsuleId)

/** Seals a content key for the store: nonce(12) ‖ ciphertext ‖ tag, under a key of its own for each capsule. */
export async function sealContentKey(
  serviceKey: Secret<'prk'>,
  capsuleId: Uint8Array,
  contentKey: Secret<'content-key'>,
): Promise<Uint8Array> {
  const key = storageKey(serviceKey, capsuleId)
  const nonce = randomBytes(nonceSizeBytes)
  try {
    const sealed = await sealAead({
      key,
      nonce,
      associatedData: associatedData(capsuleId),
      plaintext: expose(contentKey, 'content-key'),
    })
    return concatBytes(nonce, sealed)
  } finally {
    wipe(key)
  }
}

/** @throws CryptoError `SEAL_OPEN_FAILED` */
export async function openContentKey(
  serviceKey: Secret<'prk'>,
  capsuleId: Uint8Array,
  stored: Uint8Array,
): Promise<Secret<'content-key'>> {
  const key = storageKey(serviceKey, capsuleId)
  try {
    const plaintext = await openAead({
      key,
      nonce: stored.subarray(0, nonceSizeBytes),
      associatedData: associatedData(capsuleId),
      sealed: stored.subarray(nonceSizeBytes),
    })
    const contentKey = Secret.fromBytes('content-key', plaintext)
    wipe(plaintext)
    return contentKey
  } finally {
    wipe(key)
  }
}

/**
 * defenseSeed = HMAC-SHA256(provider secret, customer ‖ model): the same over every activation, so that noise cannot be
 * averaged away by activating again.
 */
export function defenseSeedFor(
  serviceKey: Secret<'prk'>,
  customerKey: Uint8Array,
  modelId: string,
): Secret<'defense-seed'> {
  const key = deriveSubkey(serviceKey, 'provider-defense-seed', new Uint8Array(0), 'hmac-key')
  const bytes = hmacSha256(key, keyThumbprintBytes(customerKey), utf8Bytes(modelId))
  const seed = Secret.fromBytes('defense-seed', bytes)
  wipe(key)
  wipe(bytes)
  return seed
}

/** The provider's half of the key over one enclave's state. */
export function stateKeyFor(serviceKey: Secret<'prk'>, identityKey: Uint8Array): Secret<'state-key'> {
  return deriveSubkey(serviceKey, 'provider-state-key', identityKey, 'state-key')
}
