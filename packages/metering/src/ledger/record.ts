// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import {
  type AeadProvider,
  aeadNonceSizeBytes,
  aeadTagSizeBytes,
  concatBytes,
  deriveSubkey,
  domain,
  labeledHash,
  openAead,
  type Secret,
  sealAead,
  sha256,
} from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import { recordMaxSizeBytes } from './store.ts'

const hashSizeBytes = 32
const saltSizeBytes = 32
// The key serves one record, so its nonce may be fixed.
const zeroNonce = new Uint8Array(aeadNonceSizeBytes)

export interface RecordContext {
  readonly key: Secret<'prk'>
  /** 32 bytes. */
  readonly ledgerId: Uint8Array
  /** The anchor's value that this record follows, 32 bytes. */
  readonly previous: Uint8Array
  readonly aead?: AeadProvider
}

function associatedData(context: RecordContext): Uint8Array {
  return concatBytes(domain('record'), context.ledgerId, context.previous)
}

function cipherOf(context: RecordContext, salt: Uint8Array) {
  return {
    key: deriveSubkey(context.key, 'record', salt, 'record-key'),
    nonce: zeroNonce,
    associatedData: associatedData(context),
    ...(context.aead === undefined ? {} : { provider: context.aead }),
  }
}

/**
 * Seals a state.
 * @param salt 32 random bytes, never used twice
 * @returns record = salt ‖ ciphertext ‖ tag
 * @see spec/ledger.md §3
 */
export async function sealRecord(
  context: RecordContext,
  salt: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const cipher = cipherOf(context, salt)
  try {
    return concatBytes(salt, await sealAead({ ...cipher, plaintext }))
  } finally {
    cipher.key.wipe()
  }
}

/** @throws CryptoError `SEAL_OPEN_FAILED` */
export async function openRecord(context: RecordContext, record: Uint8Array): Promise<Uint8Array> {
  const cipher = cipherOf(context, record.subarray(0, saltSizeBytes))
  try {
    return await openAead({ ...cipher, sealed: record.subarray(saltSizeBytes) })
  } finally {
    cipher.key.wipe()
  }
}

/** H("record-hash", record): what the anchor is extended with. @returns 32 bytes */
export function recordHash(record: Uint8Array): Uint8Array {
  return labeledHash('record-hash', record)
}

/** SHA-256(value ‖ digest): what an anchor makes of its value when it is extended. @returns 32 bytes */
export function extendedAnchor(value: Uint8Array, digest: Uint8Array): Uint8Array {
  return sha256(value, digest)
}

/** What the store holds: previous ‖ record. */
export function encodeStored(previous: Uint8Array, record: Uint8Array): Uint8Array {
  return concatBytes(previous, record)
}

/** @returns copies: the host must not change what was checked. @throws MeteringError `LEDGER_RECORD_INVALID` */
export function decodeStored(stored: Uint8Array): { previous: Uint8Array; record: Uint8Array } {
  const leastSizeBytes = hashSizeBytes + saltSizeBytes + aeadTagSizeBytes
  if (stored.length < leastSizeBytes || stored.length > recordMaxSizeBytes) {
    const detail = `a record has ${leastSizeBytes} to ${recordMaxSizeBytes} bytes, got ${stored.length}`
    throw new MeteringError('LEDGER_RECORD_INVALID', detail, { field: 'record' })
  }
  return { previous: copyBytes(stored, 0, hashSizeBytes), record: copyBytes(stored, hashSizeBytes) }
}
