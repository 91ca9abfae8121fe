// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { type Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { derTags, readTlvs, type TagLengthValue } from '../../x509/tlv.ts'

const extensionOid = '1.2.840.113741.1.13.1'
/** The same in DER, hex: what the names of all fields start with. */
const extensionPrefix = '2a864886f84d010d01'
const componentCount = 16

/** What Intel says of a platform in its PCK certificate. */
export interface PckExtension {
  /** Names one processor package, 16 bytes in hex: it identifies a machine, so keep it out of logs. */
  readonly ppid: string
  /** SVNs of the 16 components of the TCB, 0 to 255 each. */
  readonly components: readonly number[]
  readonly pceSvn: number
  /** As the processor has it, 16 bytes in hex; levels are compared by `components`. */
  readonly cpuSvn: string
  readonly pceId: string
  /** Family, model, stepping, platform type, custom SKU: 6 bytes in hex. */
  readonly fmspc: string
  /** 0 standard, 1 scalable, 2 scalable with integrity. */
  readonly sgxType: number
  /** Of packages that share keys; null where the platform has one alone. */
  readonly platformInstanceId: string | null
  readonly configuration: PlatformConfiguration | null
}

export interface PlatformConfiguration {
  readonly dynamicPlatform: boolean
  readonly cachedKeys: boolean
  readonly smtEnabled: boolean
}

function refuse(detail: string): Error {
  return invalidCertificate(`SGX extension of the PCK certificate: ${detail}`)
}

type Fields = ReadonlyMap<number, TagLengthValue>

/**
 * Reads the SGX extension of a PCK certificate. Fields that are not known here are passed over.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`
 * @see Intel SGX PCK Certificate and Certificate Revocation List Profile Specification, §1.3.5
 */
export function readPckExtension(certificate: Certificate): PckExtension {
  const der = certificate.extension(extensionOid)
  if (der === null) throw refuse('it is not there')
  const [outer, ...more] = readTlvs(der, refuse)
  if (outer?.tag !== derTags.sequence || more.length > 0) throw refuse('it is not a sequence')
  const fields = readFields(outer.value, extensionPrefix)
  const tcb = readFields(contentOf(fields, 2, derTags.sequence), `${extensionPrefix}02`)
  return {
    ppid: octets(fields, 1, 16),
    components: Array.from({ length: componentCount }, (_, i) => unsigned(tcb, i + 1, 0xff)),
    pceSvn: unsigned(tcb, 17, 0xffff),
    cpuSvn: octets(tcb, 18, 16),
    pceId: octets(fields, 3, 2),
    fmspc: octets(fields, 4, 6),
    sgxType: unsigned(fields, 5, 0x7f, derTags.enumerated),
    platformInstanceId: fields.has(6) ? octets(fields, 6, 16) : null,
    configuration: fields.has(7) ? readConfiguration(contentOf(fields, 7, derTags.sequence)) : null,
  }
}

function readConfiguration(der: Uint8Array): PlatformConfiguration {
  const fields = readFields(der, `${extensionPrefix}07`)
  return {
    dynamicPlatform: flag(fields, 1),
    cachedKeys: flag(fields, 2),
    smtEnabled: flag(fields, 3),
  }
}

/** Pairs of name and value, by the last arc of the name. */
function readFields(der: Uint8Array, prefix: string): Fields {
  const fields = new Map<number, TagLengthValue>()
  for (const { tag, value } of readTlvs(der, refuse)) {
    const [name, content, ...more] = tag === derTags.sequence ? readTlvs(value, refuse) : []
    if (name?.tag !== derTags.oid || content === undefined || more.length > 0) {
      throw refuse('a field is not a name with a value')
    }
    const arc = name.value.at(-1) ?? 0
    if (toHex(name.value.subarray(0, -1)) !== prefix || arc > 0x7f) throw refuse('a field has a foreign name')
    if (fields.has(arc)) throw refuse(`field ${arc} comes twice`)
    fields.set(arc, content)
  }
  return fields
}

function contentOf(fields: Fields, arc: number, tag: number): Uint8Array {
  const field = fields.get(arc)
  if (field?.tag !== tag) throw refuse(`field ${arc} is not there, or not of its type`)
  return field.value
}

function octets(fields: Fields, arc: number, sizeBytes: number): string {
  const value = contentOf(fields, arc, derTags.octetString)
  if (value.length !== sizeBytes) throw refuse(`field ${arc} has ${value.length} bytes, not ${sizeBytes}`)
  return toHex(value)
}

function unsigned(fields: Fields, arc: number, most: number, tag: number = derTags.integer): number {
  const value = contentOf(fields, arc, tag)
  const [first = 0x80, second = 0] = value
  const isShortest = value.length > 0 && !(value.length > 1 && first === 0 && second < 0x80)
  const number = value.length > 3 ? Number.NaN : value.reduce((sum, byte) => sum * 256 + byte, 0)
  if (first >= 0x80 || !isShortest || !(number <= most)) {
    throw refuse(`field ${arc} is not a number of 0 to ${most}`)
  }
  return number
}

function flag(fields: Fields, arc: number): boolean {
  const [value, ...more] = contentOf(fields, arc, derTags.boolean)
  if ((value !== 0 && value !== 0xff) || more.length > 0)
    throw refuse(`field ${arc} is neither true nor false`)
  return value === 0xff
}
