// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import { ByteReader } from '../../bytes/byte-reader.ts'
import { AttestationError } from '../../errors.ts'

/** Name of the platform in evidence, and of its attester and verifier. */
export const skeletonPlatform = 'skeleton'

/** "SKEL". */
const magic = 0x4c_45_4b_53
const debugFlag = 1
const signatureSizeBytes = 64
const certificateMaxCount = 4

/** What the platform signs, 112 bytes, little-endian. */
export interface SkeletonReport {
  readonly debug: boolean
  /** Version of the firmware. */
  readonly svn: number
  /** Of what runs, 32 bytes. */
  readonly measurement: Uint8Array
  /** 64 bytes. */
  readonly reportData: Uint8Array
}

export interface SkeletonEvidence {
  readonly report: SkeletonReport
  /** The bytes of the report as they came: what is signed is never written anew. */
  readonly reportBytes: Uint8Array<ArrayBuffer>
  /** ECDSA P-256 with SHA-256, r ‖ s. */
  readonly signature: Uint8Array<ArrayBuffer>
  /** DER, from the leaf to the root. */
  readonly chain: readonly Uint8Array<ArrayBuffer>[]
}

/**
 * Reads evidence and trusts nothing in it. Every byte has a meaning, or is refused.
 *
 * | bytes | field |
 * |---|---|
 * | 4 | magic, "SKEL" |
 * | 2 | version, 1 |
 * | 2 | flags: bit 0 debug, others zero |
 * | 4 | svn |
 * | 32 | measurement |
 * | 64 | report data |
 * | 4 | reserved, zero |
 * | 64 | signature |
 * | 1 | count of certificates, 2 to 4 |
 * | 2 + n | each certificate, after its size |
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED`
 */
export function parseSkeletonEvidence(bytes: Uint8Array): SkeletonEvidence {
  const reader = new ByteReader(bytes, { what: 'skeleton evidence' })
  if (reader.u32() !== magic) reader.refuse('it does not begin with SKEL')
  const version = reader.u16()
  if (version !== 1) {
    const detail = `skeleton evidence: version ${version} is not read here`
    throw new AttestationError('ATTESTATION_EVIDENCE_UNSUPPORTED', detail, { field: 'evidence.version' })
  }
  const flags = reader.u16()
  if ((flags & ~debugFlag) !== 0) reader.refuse('a flag is set that has no meaning')
  const svn = reader.u32()
  const report = {
    debug: flags === debugFlag,
    svn,
    measurement: reader.bytes(32),
    reportData: reader.bytes(64),
  }
  reader.zeros(4, 'reserved')
  const reportBytes = bytes.slice(0, reader.offsetBytes) as Uint8Array<ArrayBuffer>
  const signature = reader.bytes(signatureSizeBytes)
  const count = reader.u8()
  if (count < 2 || count > certificateMaxCount) reader.refuse(`it has ${count} certificates`)
  const chain = Array.from({ length: count }, () => reader.bytes(reader.u16()))
  reader.end()
  return { report, reportBytes, signature, chain }
}

/** For the attester, which signs these bytes. */
export function encodeSkeletonReport({ debug, svn, measurement, reportData }: SkeletonReport): Uint8Array {
  const head = new Uint8Array(12)
  const view = new DataView(head.buffer)
  view.setUint32(0, magic, true)
  view.setUint16(4, 1, true)
  view.setUint16(6, debug ? debugFlag : 0, true)
  view.setUint32(8, svn, true)
  return concatBytes(head, measurement, reportData, new Uint8Array(4))
}

/** For the attester. */
export function encodeSkeletonEvidence({
  reportBytes,
  signature,
  chain,
}: Omit<SkeletonEvidence, 'report'>): Uint8Array {
  const certificates = chain.map((der) => concatBytes(Uint8Array.of(der.length & 0xff, der.length >> 8), der))
  return concatBytes(reportBytes, signature, Uint8Array.of(chain.length), ...certificates)
}
