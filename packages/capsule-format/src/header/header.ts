// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import {
  CryptoError,
  concatBytes,
  decodeCbor,
  domain,
  encodeCbor,
  equalBytes,
  labeledHash,
  type SigningKeyPair,
  signatureSizeBytes,
  signDetached,
  uint32Bytes,
  verifyDetached,
} from '@mlcapsule/crypto'
import { CapsuleFormatError } from '../errors.ts'
import { capsuleLimits, capsuleMagic, lengthPrefixSizeBytes } from '../limits.ts'
import { readCore } from './core.ts'
import { readBytes, readMap } from './fields.ts'
import type { CapsuleHeader } from './types.ts'

/**
 * Publisher keys (32 bytes each) that were received over a trusted way; or the plain statement that none was, for tools
 * that only look at a capsule. The signature is checked in both cases.
 */
export type TrustedPublishers = readonly Uint8Array[] | 'any-unverified-publisher'

export interface ParsedHeader {
  readonly header: CapsuleHeader
  /** The header as it was signed. */
  readonly headerBytes: Uint8Array
  /** H("header-hash", header): what evidence and licenses name. */
  readonly headerHash: Uint8Array
  readonly signature: Uint8Array
  /** Magic, length, header and signature: where the pages begin. */
  readonly prefixSizeBytes: number
}

/** Size of a prefix with a header of this size. */
export function prefixSizeBytes(headerSizeBytes: number): number {
  return lengthPrefixSizeBytes + headerSizeBytes + signatureSizeBytes
}

/** Header = CBOR {1: core, 2: commit, 3: root}. */
export function encodeHeader(coreBytes: Uint8Array, commit: Uint8Array, root: Uint8Array): Uint8Array {
  return encodeCbor(
    new Map([
      [1, coreBytes],
      [2, commit],
      [3, root],
    ]),
  )
}

/** Magic ‖ u32 length ‖ header ‖ signature. */
export function encodePrefix(headerBytes: Uint8Array, publisher: SigningKeyPair): Uint8Array {
  const start = concatBytes(capsuleMagic, uint32Bytes(headerBytes.length), headerBytes)
  return concatBytes(start, signDetached(publisher.privateKey, concatBytes(domain('header'), start)))
}

/**
 * Reads magic and length.
 * @param bytes the first 12 bytes
 * @returns size of the header
 * @throws CapsuleFormatError `CAPSULE_TRUNCATED`, `CAPSULE_BAD_MAGIC`, `CAPSULE_HEADER_TOO_LARGE`
 */
export function readHeaderSize(bytes: Uint8Array): number {
  const magic = bytes.subarray(0, capsuleMagic.length)
  if (!equalBytes(magic, capsuleMagic.subarray(0, magic.length))) {
    throw new CapsuleFormatError('CAPSULE_BAD_MAGIC', 'the first eight bytes are not those of a capsule')
  }
  if (bytes.length < lengthPrefixSizeBytes) throw truncated('prefix', lengthPrefixSizeBytes, bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, lengthPrefixSizeBytes)
  const sizeBytes = view.getUint32(capsuleMagic.length)
  const { headerMaxSizeBytes } = capsuleLimits
  if (sizeBytes === 0 || sizeBytes > headerMaxSizeBytes) {
    const detail = `expected a header of 1 to ${headerMaxSizeBytes} bytes, got ${sizeBytes}`
    throw new CapsuleFormatError('CAPSULE_HEADER_TOO_LARGE', detail, { field: 'prefix.headerLength' })
  }
  return sizeBytes
}

/**
 * Validates header bytes without a look at the signature; `parseHeader` is what programs want.
 * @throws CapsuleFormatError `CAPSULE_HEADER_MALFORMED`, `CAPSULE_HEADER_INVALID`, `CAPSULE_VERSION_UNSUPPORTED`,
 * `CAPSULE_SUITE_UNSUPPORTED`
 */
export function decodeHeader(headerBytes: Uint8Array): CapsuleHeader {
  const map = readMap(decodeDeterministic(headerBytes, 'header'), 'header', 3)
  const coreBytes = map.get(1)
  if (!(coreBytes instanceof Uint8Array)) {
    throw new CapsuleFormatError('CAPSULE_HEADER_INVALID', 'header.core: expected a byte string', {
      field: 'header.core',
    })
  }
  return {
    ...readCore(decodeDeterministic(coreBytes, 'header.core')),
    commit: readBytes(map.get(2), 'commit', 32),
    root: readBytes(map.get(3), 'root', 32),
    coreBytes,
  }
}

function decodeDeterministic(bytes: Uint8Array, field: string): unknown {
  try {
    return decodeCbor(bytes, { maxSizeBytes: capsuleLimits.headerMaxSizeBytes })
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause
    throw new CapsuleFormatError('CAPSULE_HEADER_MALFORMED', `${field}: ${cause.message}`, { field, cause })
  }
}

/**
 * Reads, validates and verifies the part of a capsule before its pages. Await `cryptoReady()` first.
 * @param prefix magic ‖ length ‖ header ‖ signature, and nothing after it
 * @throws CapsuleFormatError in this order: `CAPSULE_BAD_MAGIC`, `CAPSULE_HEADER_TOO_LARGE`, `CAPSULE_TRUNCATED`,
 * `CAPSULE_TRAILING_BYTES`, those of `decodeHeader`, `CAPSULE_PUBLISHER_UNTRUSTED`, `CAPSULE_SIGNATURE_INVALID`
 * @see spec/capsule-format.md section 7
 */
export function parseHeader(
  prefix: Uint8Array,
  options: { readonly publishers: TrustedPublishers },
): ParsedHeader {
  const headerSizeBytes = readHeaderSize(prefix)
  const expectedSizeBytes = prefixSizeBytes(headerSizeBytes)
  if (prefix.length < expectedSizeBytes) throw truncated('prefix', expectedSizeBytes, prefix.length)
  if (prefix.length > expectedSizeBytes) {
    const detail = `the prefix has ${expectedSizeBytes} bytes, got ${prefix.length}`
    throw new CapsuleFormatError('CAPSULE_TRAILING_BYTES', detail, { field: 'prefix' })
  }
  // A copy, so that what was verified stays what is used.
  const start = copyBytes(prefix, 0, lengthPrefixSizeBytes + headerSizeBytes)
  const signature = copyBytes(prefix, lengthPrefixSizeBytes + headerSizeBytes)
  const headerBytes = start.subarray(lengthPrefixSizeBytes)
  const header = decodeHeader(headerBytes)
  const { publicKey, thumbprint } = header.publisher
  const { publishers } = options
  if (publishers !== 'any-unverified-publisher' && !publishers.some((key) => equalBytes(key, publicKey))) {
    const detail = `the capsule's publisher ${thumbprint} is not among the ${publishers.length} trusted ones`
    throw new CapsuleFormatError('CAPSULE_PUBLISHER_UNTRUSTED', detail, { field: 'header.publisher' })
  }
  if (!verifyDetached(publicKey, concatBytes(domain('header'), start), signature)) {
    const detail = "the publisher's signature over the header does not verify"
    throw new CapsuleFormatError('CAPSULE_SIGNATURE_INVALID', detail, { field: 'signature' })
  }
  return {
    header,
    headerBytes,
    headerHash: labeledHash('header-hash', headerBytes),
    signature,
    prefixSizeBytes: expectedSizeBytes,
  }
}

export function truncated(field: string, expectedSizeBytes: number, sizeBytes: number): CapsuleFormatError {
  const detail = `expected ${expectedSizeBytes} bytes, got ${sizeBytes}`
  return new CapsuleFormatError('CAPSULE_TRUNCATED', detail, { field })
}
