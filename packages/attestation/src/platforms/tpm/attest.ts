// SPDX-License-Identifier: Apache-2.0
import type { ByteReader } from '../../bytes/byte-reader.ts'
import { readSized, tpmReader } from './sized.ts'

/** Begins every structure that a TPM itself made: a restricted key signs nothing else that begins so. */
export const tpmGeneratedMagic = 0xff544347
export const tpmAttestQuote = 0x8018

/** A PC Client TPM has 24 registers. */
export const pcrCount = 24

/** TPMT_HA: a hash algorithm, and at most 64 bytes. */
const hashMaxSizeBytes = 66
const digestMaxSizeBytes = 64
const banksMaxCount = 8

export interface PcrSelection {
  /** TPM_ALG_ID of the bank. */
  readonly hashId: number
  /** Indexes, ascending. */
  readonly pcrs: readonly number[]
}

/** TPMS_ATTEST as read. Nothing of it is trusted before `verifyQuote` has accepted it. */
export interface TpmAttest {
  readonly magic: number
  /** TPM_ST_ATTEST. */
  readonly type: number
  /** TPM2B_NAME of the key that signed, below its parents; at most 66 bytes. */
  readonly qualifiedSigner: Uint8Array
  /** What the caller gave to be bound; at most 66 bytes. */
  readonly extraData: Uint8Array
  readonly clockMs: bigint
  readonly resetCount: number
  readonly restartCount: number
  /** Whether the clock cannot have been ahead of this before. */
  readonly isClockSafe: boolean
  readonly firmwareVersion: bigint
  /** What is attested, as it stands there. */
  readonly attested: Uint8Array
  /** The same, read; null where the type is another than a quote. */
  readonly quote: QuoteInfo | null
}

/** TPMS_QUOTE_INFO. */
export interface QuoteInfo {
  /** In the order in which the values are hashed, each bank once. */
  readonly selections: readonly PcrSelection[]
  readonly pcrDigest: Uint8Array
}

/**
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`
 * @see TPM 2.0 Library, Part 2 (TPMS_ATTEST, TPMS_QUOTE_INFO)
 */
export function parseAttest(bytes: Uint8Array): TpmAttest {
  const reader = tpmReader(bytes, 'TPMS_ATTEST')
  const magic = reader.u32()
  const type = reader.u16()
  const qualifiedSigner = readSized(reader, hashMaxSizeBytes, 'qualifiedSigner')
  const extraData = readSized(reader, hashMaxSizeBytes, 'extraData')
  const clockMs = reader.u64()
  const resetCount = reader.u32()
  const restartCount = reader.u32()
  const isClockSafe = readYesNo(reader)
  const firmwareVersion = reader.u64()
  const attested = reader.rest()
  return {
    magic,
    type,
    qualifiedSigner,
    extraData,
    clockMs,
    resetCount,
    restartCount,
    isClockSafe,
    firmwareVersion,
    attested,
    quote: type === tpmAttestQuote ? parseQuoteInfo(attested) : null,
  }
}

function readYesNo(reader: ByteReader): boolean {
  const value = reader.u8()
  if (value > 1) reader.refuse(`safe is ${value}, neither yes nor no`)
  return value === 1
}

function parseQuoteInfo(bytes: Uint8Array): QuoteInfo {
  const reader = tpmReader(bytes, 'TPMS_QUOTE_INFO')
  const bankCount = reader.u32()
  if (bankCount > banksMaxCount) reader.refuse(`${bankCount} banks, at most ${banksMaxCount} are read`)
  const selections: PcrSelection[] = []
  for (let i = 0; i < bankCount; i++) {
    const selection = readSelection(reader)
    if (selections.some(({ hashId }) => hashId === selection.hashId)) reader.refuse('a bank comes twice')
    selections.push(selection)
  }
  const pcrDigest = readSized(reader, digestMaxSizeBytes, 'pcrDigest')
  reader.end()
  return { selections, pcrDigest }
}

function readSelection(reader: ByteReader): PcrSelection {
  const hashId = reader.u16()
  const sizeBytes = reader.u8()
  if (sizeBytes > pcrCount / 8)
    reader.refuse(`a selection of ${8 * sizeBytes} registers, there are ${pcrCount}`)
  const bitmap = reader.bytes(sizeBytes)
  const pcrs = Array.from({ length: 8 * sizeBytes }, (_, pcr) => pcr)
  return { hashId, pcrs: pcrs.filter((pcr) => (((bitmap[pcr >> 3] ?? 0) >> (pcr & 7)) & 1) === 1) }
}
