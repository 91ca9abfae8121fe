// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { ByteReader } from '../../bytes/byte-reader.ts'
import { Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { readPemChain } from '../../x509/pem.ts'

/** The kernel's own limit for what the host hands over. */
const tableMaxSizeBytes = 16_384
const entrySizeBytes = 24
const entriesMaxCount = 16

export type TableCertificate = 'vcek' | 'vlek' | 'ask' | 'ark'

/** GUIDs, in the order of bytes in which they are written. */
const names: Readonly<Record<string, TableCertificate>> = {
  '63da758de6644564adc5f4b93be8accd': 'vcek',
  a8074bc2a25a483eaae639c045a0b8a1: 'vlek',
  '4ab7b379bbac4fe4a02f05aef327c782': 'ask',
  c0b406a4a803495297433fb6014cd0ae: 'ark',
}

interface Entry {
  readonly guid: string
  readonly offsetBytes: number
  readonly sizeBytes: number
}

/**
 * Reads the table of certificates that a host hands over with a report. Everything in it is the host's word. Entries of
 * GUIDs that are not known are passed over, but have to lie within the table; what no entry covers has to be zero.
 * @param bytes as Linux gives it in `auxblob`; empty where the host hands nothing over; at most 16,384
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_CERTIFICATE_INVALID`
 * @see AMD 56421, GHCB, SNP Extended Guest Request
 */
export function parseCertificateTable(bytes: Uint8Array): ReadonlyMap<TableCertificate, Certificate> {
  const reader = new ByteReader(bytes, { what: 'certificate table of the SEV-SNP report' })
  if (bytes.length > tableMaxSizeBytes) reader.refuse(`has more than ${tableMaxSizeBytes} bytes`)
  if (bytes.length === 0) return new Map()
  const entries = readEntries(reader)
  assertCovered(bytes, entries, reader)
  const found = new Map<TableCertificate, Certificate>()
  for (const { guid, offsetBytes, sizeBytes } of entries) {
    const name = Object.hasOwn(names, guid) ? names[guid] : undefined
    if (name === undefined) continue
    if (found.has(name)) reader.refuse(`${name} comes twice`)
    found.set(name, readCertificate(bytes.subarray(offsetBytes, offsetBytes + sizeBytes)))
  }
  return found
}

function readEntries(reader: ByteReader): readonly Entry[] {
  const entries: Entry[] = []
  for (;;) {
    const guid = toHex(reader.bytes(16))
    const [offsetBytes, sizeBytes] = [reader.u32(), reader.u32()]
    if (/^0+$/.test(guid)) {
      if (offsetBytes !== 0 || sizeBytes !== 0) reader.refuse('the last entry is not zero')
      return entries
    }
    if (entries.length === entriesMaxCount) reader.refuse(`has more than ${entriesMaxCount} entries`)
    entries.push({ guid, offsetBytes, sizeBytes })
  }
}

/** Certificates follow the entries, do not overlap, and nothing hides between them. */
function assertCovered(bytes: Uint8Array, entries: readonly Entry[], reader: ByteReader): void {
  let endBytes = (entries.length + 1) * entrySizeBytes
  const assertZero = (from: number, to: number) => {
    if (bytes.subarray(from, to).some((it) => it !== 0)) reader.refuse('there are bytes of no entry')
  }
  for (const { offsetBytes, sizeBytes } of [...entries].sort((a, b) => a.offsetBytes - b.offsetBytes)) {
    if (offsetBytes < endBytes || offsetBytes + sizeBytes > bytes.length) {
      reader.refuse(`an entry of ${sizeBytes} bytes at ${offsetBytes} is out of place`)
    }
    assertZero(endBytes, offsetBytes)
    endBytes = offsetBytes + sizeBytes
  }
  assertZero(endBytes, bytes.length)
}

/** Hosts store both forms: what their tools import is passed on as it is. */
function readCertificate(bytes: Uint8Array): Certificate {
  if (bytes[0] !== '-'.charCodeAt(0)) return new Certificate(bytes)
  const [certificate, ...more] = readPemChain(bytes)
  if (certificate === undefined || more.length > 0) throw invalidCertificate('an entry is one certificate')
  return certificate
}
