// SPDX-License-Identifier: Apache-2.0
import { unsharedBytes } from '../encoding/bytes.ts'
import { CryptoError } from '../errors.ts'
import type { AeadKeyKind } from '../secret/kinds.ts'
import { expose, type Secret } from '../secret/secret.ts'
import { type AeadProvider, aeadNonceSizeBytes, aeadTagSizeBytes } from './provider.ts'
import { webCryptoAead } from './webcrypto-provider.ts'

interface AeadContext {
  readonly key: Secret<AeadKeyKind>
  /** 12 bytes, never used twice with one key. */
  readonly nonce: Uint8Array
  /** Bound, not hidden: starts with a domain. */
  readonly associatedData: Uint8Array
  /** WebCrypto when absent. */
  readonly provider?: AeadProvider
}

export interface SealInput extends AeadContext {
  readonly plaintext: Uint8Array
}

export interface OpenInput extends AeadContext {
  /** Ciphertext followed by the 16-byte tag. */
  readonly sealed: Uint8Array
}

const aeadKeyKinds: ReadonlySet<string> = new Set<AeadKeyKind>(['page-key', 'record-key', 'storage-key'])

function exposeKey(key: Secret<AeadKeyKind>): Uint8Array<ArrayBuffer> {
  if (!aeadKeyKinds.has(key.kind)) {
    const detail = `a ${key.kind} neither seals nor opens; expected one of ${[...aeadKeyKinds].join(', ')}`
    throw new CryptoError('KEY_KIND_MISMATCH', detail, { field: 'key' })
  }
  return expose(key, key.kind)
}

function checkedNonce(nonce: Uint8Array): Uint8Array<ArrayBuffer> {
  if (nonce.length === aeadNonceSizeBytes) return unsharedBytes(nonce)
  const detail = `the nonce has ${aeadNonceSizeBytes} bytes, got ${nonce.length}`
  throw new CryptoError('SEAL_INPUT_INVALID', detail, { field: 'nonce' })
}

/**
 * Seals with AES-256-GCM.
 * @returns ciphertext ‖ tag, 16 bytes longer than the plaintext
 * @throws CryptoError `SEAL_INPUT_INVALID`, `KEY_WIPED`
 */
export async function sealAead(input: SealInput): Promise<Uint8Array> {
  const nonce = checkedNonce(input.nonce)
  const provider = input.provider ?? webCryptoAead
  const key = exposeKey(input.key)
  const associatedData = unsharedBytes(input.associatedData)
  return await provider.seal(key, nonce, associatedData, unsharedBytes(input.plaintext))
}

/**
 * Opens into a buffer that the caller owns and wipes. Nothing is written unless the tag verifies.
 * @param destination at least as long as the plaintext, which is 16 bytes shorter than `sealed`; the rest is left alone
 * @returns size of the plaintext in bytes
 * @throws CryptoError `SEAL_OPEN_FAILED` for wrong key, nonce, associated data or bytes; `SEAL_INPUT_INVALID`
 */
export async function openAeadInto(destination: Uint8Array, input: OpenInput): Promise<number> {
  const nonce = checkedNonce(input.nonce)
  const sizeBytes = input.sealed.length - aeadTagSizeBytes
  if (sizeBytes < 0) throw openFailed()
  if (destination.length < sizeBytes) {
    const detail = `the plaintext has ${sizeBytes} bytes, the destination ${destination.length}`
    throw new CryptoError('SEAL_INPUT_INVALID', detail, { field: 'destination' })
  }
  const provider = input.provider ?? webCryptoAead
  const key = exposeKey(input.key)
  const target = destination.subarray(0, sizeBytes)
  const associatedData = unsharedBytes(input.associatedData)
  // A cipher reads its input twice, to decrypt it and to check it: what the host could change in between is copied first.
  const sealed = unsharedBytes(input.sealed)
  const verified = await provider.openInto(target, key, nonce, associatedData, sealed)
  if (!verified) throw openFailed()
  return sizeBytes
}

/** As `openAeadInto`, into a new buffer. The caller wipes it. */
export async function openAead(input: OpenInput): Promise<Uint8Array> {
  const plaintext = new Uint8Array(Math.max(0, input.sealed.length - aeadTagSizeBytes))
  await openAeadInto(plaintext, input)
  return plaintext
}

function openFailed(): CryptoError {
  return new CryptoError('SEAL_OPEN_FAILED', 'the sealed bytes did not open')
}
