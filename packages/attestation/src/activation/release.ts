// SPDX-License-Identifier: Apache-2.0
import {
  concatBytes,
  domain,
  equalBytes,
  expose,
  openKeyRelease,
  type SealedKeyRelease,
  Secret,
  sealKeyRelease,
  wipe,
} from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { tokenHash } from './challenge.ts'

/** What a provider releases to an enclave. */
export interface ReleasedKeys {
  readonly contentKey: Secret<'content-key'>
  readonly defenseSeed: Secret<'defense-seed'>
  readonly stateKey: Secret<'state-key'>
}

/**
 * D("release") ‖ reportData ‖ SHA-256(license): what a key release is bound to.
 * @see spec/activation.md §4
 */
export function releaseInfo(reportData: Uint8Array, license: string): Uint8Array {
  return concatBytes(domain('release'), reportData, tokenHash(license))
}

// Deterministic CBOR of {1: bstr 32, 2: bstr 32, 3: bstr 32}, laid out by hand: a general encoder would keep copies of
// the keys in buffers that nobody wipes.
const keySizeBytes = 32
const itemSizeBytes = 3 + keySizeBytes
const plaintextSizeBytes = 1 + 3 * itemSizeBytes
const keyOffset = (key: number) => 1 + (key - 1) * itemSizeBytes + 3

function emptyPlaintext(): Uint8Array {
  const bytes = new Uint8Array(plaintextSizeBytes)
  bytes[0] = 0xa3
  for (const key of [1, 2, 3]) bytes.set([key, 0x58, keySizeBytes], keyOffset(key) - 3)
  return bytes
}

export interface SealReleaseInput extends ReleasedKeys {
  /** X25519 key of the enclave, 32 bytes, from an accepted request. */
  readonly releaseKey: Uint8Array
  /** 64 bytes, as the provider built it. */
  readonly reportData: Uint8Array
  /** License token that goes with it. */
  readonly license: string
}

/** Seals the keys to an enclave. @throws CryptoError `KEY_INVALID` for an X25519 key of small order, `KEY_WIPED` */
export async function sealRelease(input: SealReleaseInput): Promise<SealedKeyRelease> {
  const plaintext = emptyPlaintext()
  try {
    plaintext.set(expose(input.contentKey, 'content-key'), keyOffset(1))
    plaintext.set(expose(input.defenseSeed, 'defense-seed'), keyOffset(2))
    plaintext.set(expose(input.stateKey, 'state-key'), keyOffset(3))
    return await sealKeyRelease(input.releaseKey, releaseInfo(input.reportData, input.license), plaintext)
  } finally {
    wipe(plaintext)
  }
}

export interface OpenReleaseInput {
  readonly privateKey: Secret<'x25519-private'>
  readonly sealed: SealedKeyRelease
  /** 64 bytes, as the enclave built it. */
  readonly reportData: Uint8Array
  readonly license: string
}

/**
 * Opens a release inside the enclave. The caller wipes the private key afterward: it serves once.
 * @throws CryptoError `SEAL_OPEN_FAILED`; AttestationError `ACTIVATION_RELEASE_INVALID`
 */
export async function openRelease(input: OpenReleaseInput): Promise<ReleasedKeys> {
  const { enc, ciphertext } = input.sealed
  const info = releaseInfo(input.reportData, input.license)
  const plaintext = await openKeyRelease(input.privateKey, enc, info, ciphertext)
  try {
    return readKeys(plaintext)
  } finally {
    wipe(plaintext)
  }
}

function readKeys(plaintext: Uint8Array): ReleasedKeys {
  const expected = emptyPlaintext()
  const frame = plaintext.slice()
  if (frame.length === plaintextSizeBytes) {
    for (const key of [1, 2, 3]) frame.fill(0, keyOffset(key), keyOffset(key) + keySizeBytes)
  }
  const fits = equalBytes(frame, expected)
  wipe(frame)
  if (!fits) {
    const detail = 'the release does not hold exactly the keys 1 to 3 of 32 bytes'
    throw new AttestationError('ACTIVATION_RELEASE_INVALID', detail, { field: 'response.ct' })
  }
  const bytesOf = (key: number) => plaintext.subarray(keyOffset(key), keyOffset(key) + keySizeBytes)
  return {
    contentKey: Secret.fromBytes('content-key', bytesOf(1)),
    defenseSeed: Secret.fromBytes('defense-seed', bytesOf(2)),
    stateKey: Secret.fromBytes('state-key', bytesOf(3)),
  }
}
