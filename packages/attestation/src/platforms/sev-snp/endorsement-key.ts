// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { type Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { derTags } from '../../x509/tlv.ts'
import type { TcbPart } from './tcb.ts'

const amdOid = '1.3.6.1.4.1.3704.1'

/** Number of each part of the firmware in certificates, below `amdOid`. */
const partOids: Readonly<Record<TcbPart, string>> = {
  bootloader: '3.1',
  tee: '3.2',
  snp: '3.3',
  spl4: '3.4',
  spl5: '3.5',
  spl6: '3.6',
  spl7: '3.7',
  microcode: '3.8',
  fmc: '3.9',
}

/** What AMD says in the certificate of an endorsement key. Not trusted before its chain is. */
export interface EndorsementKeyInfo {
  readonly structVersion: number
  /** With the stepping, where there is one: `Milan-B0`. */
  readonly productName: string
  /** Security version numbers for which the key was derived; those that the certificate leaves out are absent. */
  readonly parts: Readonly<Partial<Record<TcbPart, number>>>
  /** Of the chip: 64 bytes, 8 of Turin; null in the certificate of a VLEK. */
  readonly hardwareId: Uint8Array | null
  /** Of the cloud that leases the key; null in the certificate of a VCEK. */
  readonly cspId: string | null
}

/**
 * Reads AMD's extensions. Their values are held against their only DER encoding.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
 * @see AMD 57230, VCEK and VLEK certificates
 */
export function readEndorsementKey(certificate: Certificate): EndorsementKeyInfo {
  const value = (suffix: string) => certificate.extension(`${amdOid}.${suffix}`)
  const [structVersion, productName] = [value('1'), value('2')]
  if (structVersion === null || productName === null) throw invalid('does not say which product it is for')
  const parts: Partial<Record<TcbPart, number>> = {}
  for (const [part, suffix] of Object.entries(partOids) as [TcbPart, string][]) {
    const found = value(suffix)
    if (found !== null) parts[part] = readByte(found)
  }
  const [hardwareId, cspId] = [value('4'), value('5')]
  return {
    structVersion: readByte(structVersion),
    productName: readText(productName),
    parts,
    hardwareId: hardwareId === null ? null : readHardwareId(hardwareId),
    cspId: cspId === null ? null : readText(cspId),
  }
}

function invalid(detail: string) {
  return invalidCertificate(`the certificate of an endorsement key ${detail}`)
}

/** INTEGER of 0 to 255: two bytes from 128 on, since DER's are signed. */
function readByte(der: Uint8Array): number {
  const [tag, size, first = 0, second = 0] = der
  if (tag === derTags.integer && size === 1 && der.length === 3 && first < 0x80) return first
  if (tag === derTags.integer && size === 2 && der.length === 4 && first === 0 && second >= 0x80)
    return second
  throw invalid(`has a number that is no byte: ${toHex(der.subarray(0, 8))}`)
}

function readText(der: Uint8Array): string {
  const text = der.subarray(2)
  const printable = text.every((it) => it >= 0x20 && it < 0x7f)
  if (der[0] !== derTags.ia5String || der[1] !== text.length || text.length > 0x7f || !printable) {
    throw invalid('has a text that is not IA5')
  }
  return String.fromCharCode(...text)
}

/** The specification says OCTET STRING; most certificates hold the bytes alone. */
function readHardwareId(value: Uint8Array): Uint8Array {
  const bare = [8, 64].includes(value.length)
  const bytes = bare ? value : value.subarray(2)
  const wrapped =
    value[0] === derTags.octetString && value[1] === bytes.length && [8, 64].includes(bytes.length)
  if (!bare && !wrapped) throw invalid('has a hardware id of another size than 8 or 64 bytes')
  return bytes
}
