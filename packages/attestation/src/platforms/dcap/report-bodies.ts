// SPDX-License-Identifier: Apache-2.0
import { ByteReader } from '../../bytes/byte-reader.ts'

/**
 * What the processor says of an SGX enclave, 384 bytes. Reserved bytes are not looked at: they are signed.
 * @see Intel SGX ECDSA QuoteLibReference for DCAP, A.4 "Enclave Report Body"
 */
export interface SgxReportBody {
  readonly type: 'sgx'
  readonly cpuSvn: Uint8Array
  readonly miscSelect: Uint8Array
  readonly isvExtProdId: Uint8Array
  /** 16 bytes: flags, then XFRM. */
  readonly attributes: Uint8Array
  readonly mrEnclave: Uint8Array
  readonly mrSigner: Uint8Array
  readonly configId: Uint8Array
  readonly isvProdId: number
  readonly isvSvn: number
  readonly configSvn: number
  readonly isvFamilyId: Uint8Array
  readonly reportData: Uint8Array
}

/**
 * What the TDX module says of a trust domain, 584 bytes; 648 bytes as of TDX 1.5, which adds two fields.
 * @see Intel TDX DCAP Quoting Library API, A.3.2 "TD Quote Body"
 */
export interface TdReportBody {
  readonly type: 'tdx10' | 'tdx15'
  /** 16 bytes; [0] is the SVN of the TDX module, [1] its major version. */
  readonly teeTcbSvn: Uint8Array
  readonly mrSeam: Uint8Array
  readonly mrSignerSeam: Uint8Array
  readonly seamAttributes: Uint8Array
  readonly tdAttributes: Uint8Array
  readonly xfam: Uint8Array
  readonly mrTd: Uint8Array
  readonly mrConfigId: Uint8Array
  readonly mrOwner: Uint8Array
  readonly mrOwnerConfig: Uint8Array
  readonly rtmr0: Uint8Array
  readonly rtmr1: Uint8Array
  readonly rtmr2: Uint8Array
  readonly rtmr3: Uint8Array
  readonly reportData: Uint8Array
  /** As it is now, where `teeTcbSvn` is as it was at launch; null before TDX 1.5. */
  readonly teeTcbSvn2: Uint8Array | null
  /** Null before TDX 1.5: whether a service TD is bound cannot be seen. */
  readonly mrServiceTd: Uint8Array | null
}

export const reportBodySizesBytes = { sgx: 384, tdx10: 584, tdx15: 648 } as const

/** @param bytes 384 of them @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function readSgxReportBody(bytes: Uint8Array): SgxReportBody {
  const reader = new ByteReader(bytes, { what: 'SGX report body' })
  const cpuSvn = reader.bytes(16)
  const miscSelect = reader.bytes(4)
  reader.skip(12)
  const isvExtProdId = reader.bytes(16)
  const attributes = reader.bytes(16)
  const mrEnclave = reader.bytes(32)
  reader.skip(32)
  const mrSigner = reader.bytes(32)
  reader.skip(32)
  const configId = reader.bytes(64)
  const isvProdId = reader.u16()
  const isvSvn = reader.u16()
  const configSvn = reader.u16()
  reader.skip(42)
  const isvFamilyId = reader.bytes(16)
  const reportData = reader.bytes(64)
  reader.end()
  return {
    type: 'sgx',
    cpuSvn,
    miscSelect,
    isvExtProdId,
    attributes,
    mrEnclave,
    mrSigner,
    configId,
    isvProdId,
    isvSvn,
    configSvn,
    isvFamilyId,
    reportData,
  }
}

/** @param bytes as many as the type has @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function readTdReportBody(bytes: Uint8Array, type: 'tdx10' | 'tdx15'): TdReportBody {
  const reader = new ByteReader(bytes, { what: 'TD report body' })
  const body = {
    type,
    teeTcbSvn: reader.bytes(16),
    mrSeam: reader.bytes(48),
    mrSignerSeam: reader.bytes(48),
    seamAttributes: reader.bytes(8),
    tdAttributes: reader.bytes(8),
    xfam: reader.bytes(8),
    mrTd: reader.bytes(48),
    mrConfigId: reader.bytes(48),
    mrOwner: reader.bytes(48),
    mrOwnerConfig: reader.bytes(48),
    rtmr0: reader.bytes(48),
    rtmr1: reader.bytes(48),
    rtmr2: reader.bytes(48),
    rtmr3: reader.bytes(48),
    reportData: reader.bytes(64),
    teeTcbSvn2: type === 'tdx15' ? reader.bytes(16) : null,
    mrServiceTd: type === 'tdx15' ? reader.bytes(48) : null,
  }
  reader.end()
  return body
}
