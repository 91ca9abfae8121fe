// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'
import { ByteReader } from '../../bytes/byte-reader.ts'
import { AttestationError } from '../../errors.ts'
import type { CpuId, EndorsementKeyKind } from './product.ts'

export const sevSnpReportSizeBytes = 1184
const signedSizeBytes = 0x2a0
const signaturePartSizeBytes = 72
const coordinateSizeBytes = 48

export interface FirmwareVersion {
  readonly major: number
  readonly minor: number
  readonly build: number
}

/** What the guest's owner allows the platform to do with the guest. AMD 56860, GUEST_POLICY. */
export interface GuestPolicy {
  readonly abiMajor: number
  readonly abiMinor: number
  readonly smt: boolean
  readonly migrationAgent: boolean
  readonly debug: boolean
  readonly singleSocket: boolean
  readonly cxl: boolean
  readonly aes256Xts: boolean
  readonly raplDisabled: boolean
  readonly ciphertextHiding: boolean
  readonly pageSwapDisabled: boolean
}

/** A report as the firmware writes it. Nothing of it is trusted before `verifySevSnp` has accepted it. */
export interface SevSnpReport {
  readonly version: 2 | 3 | 5
  readonly guestSvn: number
  readonly policyBits: bigint
  readonly policy: GuestPolicy
  /** 16 bytes. */
  readonly familyId: Uint8Array
  /** 16 bytes. */
  readonly imageId: Uint8Array
  /** Level of privilege of the software that asked for the report: 0 to 3. */
  readonly vmpl: number
  readonly signatureAlgorithm: number
  readonly platformInfo: bigint
  readonly flags: number
  readonly authorKeyEnabled: boolean
  readonly chipKeyMasked: boolean
  readonly signingKey: EndorsementKeyKind
  /** 64 bytes. */
  readonly reportData: Uint8Array
  /** 48 bytes. */
  readonly measurement: Uint8Array
  /** 32 bytes. */
  readonly hostData: Uint8Array
  /** 48 bytes. */
  readonly idKeyDigest: Uint8Array
  /** 48 bytes. */
  readonly authorKeyDigest: Uint8Array
  /** 32 bytes. */
  readonly reportId: Uint8Array
  /** 32 bytes. */
  readonly reportIdMigrationAgent: Uint8Array
  /** Null before version 3. */
  readonly cpuId: CpuId | null
  /** 64 bytes; zero where the owner of the platform masks it. */
  readonly chipId: Uint8Array
  readonly currentTcb: bigint
  readonly reportedTcb: bigint
  readonly committedTcb: bigint
  readonly launchTcb: bigint
  readonly currentVersion: FirmwareVersion
  readonly committedVersion: FirmwareVersion
  /** Null before version 5. */
  readonly launchMitigations: bigint | null
  /** Null before version 5. */
  readonly currentMitigations: bigint | null
  readonly signedBytes: Uint8Array<ArrayBuffer>
  /** r ‖ s, big-endian, 96 bytes. */
  readonly signature: Uint8Array<ArrayBuffer>
}

/**
 * Reads a report of version 2, 3 or 5.
 * @param bytes 1,184 bytes
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, also for reserved bits; `ATTESTATION_EVIDENCE_UNSUPPORTED` for
 * another version or algorithm, for a report that no endorsement key signs, and for one that the host asked for
 * @see AMD 56860, ATTESTATION_REPORT
 */
export function parseSevSnpReport(bytes: Uint8Array): SevSnpReport {
  const reader = new ByteReader(bytes, { what: 'SEV-SNP report' })
  const version = reader.u32()
  if (version !== 2 && version !== 3 && version !== 5) throw unsupported(`a report of version ${version}`)
  const guestSvn = reader.u32()
  const policyBits = reader.u64()
  const policy = readPolicy(policyBits, reader)
  const [familyId, imageId] = [reader.bytes(16), reader.bytes(16)]
  const vmpl = reader.u32()
  // The host can ask for reports too: they have a level of all ones and say nothing of who runs inside.
  if (vmpl > 3) throw unsupported(`a report for level ${vmpl}`)
  const signatureAlgorithm = reader.u32()
  if (signatureAlgorithm !== 1) throw unsupported(`signature algorithm ${signatureAlgorithm}`)
  const [currentTcb, platformInfo] = [reader.u64(), reader.u64()]
  const flags = reader.u32()
  if (flags > 0x1f) reader.refuse('reserved flags are set')
  const signingKey = signingKeyOf((flags >>> 2) & 7)
  reader.zeros(4, 'reserved field 4Ch')
  const reportData = reader.bytes(64)
  const measurement = reader.bytes(48)
  const hostData = reader.bytes(32)
  const [idKeyDigest, authorKeyDigest] = [reader.bytes(48), reader.bytes(48)]
  const [reportId, reportIdMigrationAgent] = [reader.bytes(32), reader.bytes(32)]
  const reportedTcb = reader.u64()
  const cpuId = readCpuId(reader, version)
  const chipId = reader.bytes(64)
  const committedTcb = reader.u64()
  const [currentVersion, committedVersion] = [readVersion(reader), readVersion(reader)]
  const launchTcb = reader.u64()
  const launchMitigations = version < 5 ? null : reader.u64()
  const currentMitigations = version < 5 ? null : reader.u64()
  reader.zeros(signedSizeBytes - reader.offsetBytes, 'reserved field before the signature')
  const signature = concatBytes(readCoordinate(reader), readCoordinate(reader))
  reader.zeros(sevSnpReportSizeBytes - reader.offsetBytes, 'reserved field after the signature')
  reader.end()
  return {
    version,
    guestSvn,
    policyBits,
    policy,
    familyId,
    imageId,
    vmpl,
    signatureAlgorithm,
    platformInfo,
    flags,
    authorKeyEnabled: (flags & 1) !== 0,
    chipKeyMasked: (flags & 2) !== 0,
    signingKey,
    reportData,
    measurement,
    hostData,
    idKeyDigest,
    authorKeyDigest,
    reportId,
    reportIdMigrationAgent,
    cpuId,
    chipId,
    currentTcb,
    reportedTcb,
    committedTcb,
    launchTcb,
    currentVersion,
    committedVersion,
    launchMitigations,
    currentMitigations,
    signedBytes: new Uint8Array(bytes.subarray(0, signedSizeBytes)),
    signature,
  }
}

function unsupported(what: string): AttestationError {
  const detail = `SEV-SNP: ${what} is not verified here`
  return new AttestationError('ATTESTATION_EVIDENCE_UNSUPPORTED', detail, { field: 'evidence.bytes' })
}

function signingKeyOf(selector: number): EndorsementKeyKind {
  if (selector === 0) return 'vcek'
  if (selector === 1) return 'vlek'
  throw unsupported(selector === 7 ? 'a report without a signature' : `signing key ${selector}`)
}

function readPolicy(bits: bigint, reader: ByteReader): GuestPolicy {
  const flag = (at: number) => ((bits >> BigInt(at)) & 1n) === 1n
  if (!flag(17)) reader.refuse('bit 17 of the guest policy is not set')
  if (bits >> 26n !== 0n) reader.refuse('reserved bits of the guest policy are set')
  return {
    abiMajor: Number((bits >> 8n) & 0xffn),
    abiMinor: Number(bits & 0xffn),
    smt: flag(16),
    migrationAgent: flag(18),
    debug: flag(19),
    singleSocket: flag(20),
    cxl: flag(21),
    aes256Xts: flag(22),
    raplDisabled: flag(23),
    ciphertextHiding: flag(24),
    pageSwapDisabled: flag(25),
  }
}

function readCpuId(reader: ByteReader, version: number): CpuId | null {
  if (version < 3) {
    reader.zeros(24, 'reserved field 188h')
    return null
  }
  const cpuId = { family: reader.u8(), model: reader.u8(), stepping: reader.u8() }
  reader.zeros(21, 'reserved field 18Bh')
  return cpuId
}

function readVersion(reader: ByteReader): FirmwareVersion {
  const [build, minor, major] = [reader.u8(), reader.u8(), reader.u8()]
  reader.zeros(1, 'reserved byte of a version')
  return { major, minor, build }
}

/** Little-endian and padded in the report, big-endian for WebCrypto. */
function readCoordinate(reader: ByteReader): Uint8Array<ArrayBuffer> {
  const value = reader.bytes(coordinateSizeBytes)
  reader.zeros(signaturePartSizeBytes - coordinateSizeBytes, 'padding of the signature')
  return value.reverse()
}
