// SPDX-License-Identifier: Apache-2.0
import { equalBytes, fromHex, toHex } from '@mlcapsule/crypto'
import { ByteReader } from '../../bytes/byte-reader.ts'
import { AttestationError } from '../../errors.ts'
import {
  readSgxReportBody,
  readTdReportBody,
  reportBodySizesBytes,
  type SgxReportBody,
  type TdReportBody,
} from './report-bodies.ts'

/** Which of Intel's two kinds of enclave a quote speaks of; also the name of its platform. */
export type Tee = 'sgx' | 'tdx'

/** Room for padding included; drivers hand out no more. */
export const quoteMaxSizeBytes = 32_768

const teeTypes: Readonly<Record<Tee, number>> = { sgx: 0, tdx: 0x81 }
const ecdsaP256 = 2
const intelQuotingEnclaves = fromHex('939a7233f79c4ca9940a0db3957f0607')
const pemChain = 5
const quotingEnclaveReport = 6

/** @see Intel TDX DCAP Quoting Library API, A.3.1 "TD Quote Header" */
export interface QuoteHeader {
  readonly version: 3 | 4 | 5
  /** 2: ECDSA over P-256. */
  readonly attestationKeyType: number
  readonly teeType: number
  /** SVNs as the quoting enclave's library filled them in; zero as of version 4. */
  readonly qeSvn: number
  readonly pceSvn: number
  readonly userData: Uint8Array
}

/** A quote that has been read. Nothing of it is trusted before `verifyQuote` has accepted it. */
export interface DcapQuote<Body> {
  readonly header: QuoteHeader
  readonly body: Body
  /** Header and body as they are signed. */
  readonly signedBytes: Uint8Array<ArrayBuffer>
  /** r ‖ s, 64 bytes, by the attestation key. */
  readonly signature: Uint8Array<ArrayBuffer>
  /** x ‖ y, 64 bytes. */
  readonly attestationKey: Uint8Array<ArrayBuffer>
  readonly qeReport: SgxReportBody
  readonly qeReportBytes: Uint8Array<ArrayBuffer>
  /** r ‖ s, 64 bytes, by the PCK. */
  readonly qeReportSignature: Uint8Array<ArrayBuffer>
  readonly qeAuthData: Uint8Array
  /** 5: the chain below is in the quote. */
  readonly certificationDataType: number
  /** PCK certificate, its authority, root: PEM. */
  readonly pckChainPem: Uint8Array
}

export type SgxQuote = DcapQuote<SgxReportBody>
export type TdxQuote = DcapQuote<TdReportBody>

function unsupported(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_EVIDENCE_UNSUPPORTED', detail, { field: 'evidence.bytes' })
}

/**
 * Reads a quote of an SGX enclave: version 3, or 4 and 5 with an SGX body. Zero bytes may follow it. Trusts nothing.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED` for other versions, keys
 * and certification data
 * @see Intel SGX ECDSA QuoteLibReference for DCAP, appendix A
 */
export function parseSgxQuote(bytes: Uint8Array): SgxQuote {
  return parseQuoteOf('sgx', bytes, (body) => readSgxReportBody(body))
}

/**
 * Reads a quote of a trust domain: version 4, or 5 with a TD body. Zero bytes may follow it. Trusts nothing.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED` for other versions, keys
 * and certification data
 * @see Intel TDX DCAP Quoting Library API, appendix A
 */
export function parseTdxQuote(bytes: Uint8Array): TdxQuote {
  return parseQuoteOf('tdx', bytes, (body, type) =>
    readTdReportBody(body, type === 'tdx15' ? 'tdx15' : 'tdx10'),
  )
}

type BodyType = keyof typeof reportBodySizesBytes

function parseQuoteOf<Body>(
  tee: Tee,
  bytes: Uint8Array,
  readBody: (body: Uint8Array, type: BodyType) => Body,
): DcapQuote<Body> {
  // A copy of our own: what is read and what the signature is over are the same bytes.
  const own = new Uint8Array(bytes.subarray(0, quoteMaxSizeBytes + 1))
  const reader = new ByteReader(own, { what: `${tee} quote` })
  if (own.length > quoteMaxSizeBytes) reader.refuse(`has more than ${quoteMaxSizeBytes} bytes`)
  const header = readHeader(reader, tee)
  const type = header.version === 5 ? readBodyType(reader, tee) : tee === 'sgx' ? 'sgx' : 'tdx10'
  const bodyBytes = reader.bytes(reportBodySizesBytes[type])
  const signedBytes = own.slice(0, reader.offsetBytes)
  const signatureData = new ByteReader(reader.bytes(reader.u32()), {
    what: `signature data of a ${tee} quote`,
  })
  reader.zeros(reader.restSizeBytes, 'what follows it')
  return {
    header,
    body: readBody(bodyBytes, type),
    signedBytes,
    ...readSignatureData(signatureData, header.version),
  }
}

function readHeader(reader: ByteReader, tee: Tee): QuoteHeader {
  const version = reader.u16()
  if (version !== 3 && version !== 4 && version !== 5) {
    throw unsupported(`a quote has version ${version}, read are 3, 4 and 5`)
  }
  const attestationKeyType = reader.u16()
  if (attestationKeyType !== ecdsaP256) {
    throw unsupported(`a quote has an attestation key of type ${attestationKeyType}, read is ${ecdsaP256}`)
  }
  const teeType = reader.u32()
  if (teeType !== teeTypes[tee]) reader.refuse(`is of TEE type ${teeType}`)
  if (tee === 'tdx' && version === 3) reader.refuse('has version 3, which knows no trust domains')
  const [qeSvn, pceSvn] = [reader.u16(), reader.u16()]
  const vendor = reader.bytes(16)
  if (!equalBytes(vendor, intelQuotingEnclaves)) {
    throw unsupported(`a quote is by the quoting enclave of another vendor, ${toHex(vendor)}`)
  }
  return { version, attestationKeyType, teeType, qeSvn, pceSvn, userData: reader.bytes(20) }
}

/** Version 5 says what its body is. */
function readBodyType(reader: ByteReader, tee: Tee): BodyType {
  const word = reader.u16()
  const type = ([undefined, 'sgx', 'tdx10', 'tdx15'] as const)[word]
  const sizeBytes = reader.u32()
  if (type === undefined || (type === 'sgx') !== (tee === 'sgx')) {
    reader.refuse(`has a body of type ${word}, which is none of its TEE`)
  }
  if (sizeBytes !== reportBodySizesBytes[type])
    reader.refuse(`says that its ${type} body has ${sizeBytes} bytes`)
  return type
}

type SignatureData = Omit<DcapQuote<unknown>, 'header' | 'body' | 'signedBytes'>

function readSignatureData(reader: ByteReader, version: 3 | 4 | 5): SignatureData {
  const signature = reader.bytes(64)
  const attestationKey = reader.bytes(64)
  if (version === 3) return { signature, attestationKey, ...readQuotingEnclave(reader) }
  const type = reader.u16()
  if (type !== quotingEnclaveReport) {
    throw unsupported(`a quote has certification data of type ${type} where ${quotingEnclaveReport} is read`)
  }
  const inner = new ByteReader(reader.bytes(reader.u32()), { what: 'certification data of a quote' })
  reader.end()
  return { signature, attestationKey, ...readQuotingEnclave(inner) }
}

function readQuotingEnclave(reader: ByteReader): Omit<SignatureData, 'signature' | 'attestationKey'> {
  const qeReportBytes = reader.bytes(reportBodySizesBytes.sgx)
  const qeReportSignature = reader.bytes(64)
  const qeAuthData = reader.bytes(reader.u16())
  const certificationDataType = reader.u16()
  if (certificationDataType !== pemChain) {
    const detail = `a quote has certification data of type ${certificationDataType}, read is ${pemChain}: the chain of the PCK certificate`
    throw unsupported(detail)
  }
  const pckChainPem = reader.bytes(reader.u32())
  reader.end()
  return {
    qeReport: readSgxReportBody(qeReportBytes),
    qeReportBytes,
    qeReportSignature,
    qeAuthData,
    certificationDataType,
    pckChainPem,
  }
}
