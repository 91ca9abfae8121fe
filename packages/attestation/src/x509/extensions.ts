// SPDX-License-Identifier: Apache-2.0
import { derTags, readTlvs, type TagLengthValue } from './tlv.ts'

const extensionsTag = 0xa3
const basicConstraintsOid = '2.5.29.19'
const keyUsageOid = '2.5.29.15'

type Refuse = (detail: string) => Error

export interface CertificateExtension {
  readonly critical: boolean
  /** Without the octet string around it. */
  readonly value: Uint8Array
}

/** What the path validator asks of extensions, and the rest by name. */
export interface CertificateExtensions {
  readonly byOid: ReadonlyMap<string, CertificateExtension>
  readonly isCa: boolean
  /** How many further CA certificates may follow; null where there is no limit. */
  readonly pathLength: number | null
  /** Flags of RFC 5280 §4.2.1.3, the first in the lowest bit; null where the extension is absent. */
  readonly keyUsage: number | null
  /** Critical ones that no code here knows. */
  readonly unknownCritical: readonly string[]
}

/**
 * Reads the extensions of a certificate.
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1, §4.2.1.3, §4.2.1.9
 */
export function readExtensions(certificate: Uint8Array, refuse: Refuse): CertificateExtensions {
  const content = (value: TagLengthValue | undefined) => readTlvs(value?.value ?? new Uint8Array(0), refuse)
  const signed = content(content(readTlvs(certificate, refuse)[0])[0])
  const [list] = content(signed.find(({ tag }) => tag === extensionsTag))
  const byOid = readExtensionList(list, refuse)
  return {
    byOid,
    ...readBasicConstraints(byOid.get(basicConstraintsOid), refuse),
    keyUsage: readKeyUsage(byOid.get(keyUsageOid), refuse),
    unknownCritical: [...byOid]
      .filter(([oid, { critical }]) => critical && oid !== basicConstraintsOid && oid !== keyUsageOid)
      .map(([oid]) => oid),
  }
}

/**
 * Extensions of a certificate, of a list of revoked ones, or of an entry in it.
 * @param list SEQUENCE OF Extension; none where it is absent
 * @throws what `refuse` makes
 * @see RFC 5280 §4.1
 */
export function readExtensionList(
  list: TagLengthValue | undefined,
  refuse: Refuse,
): ReadonlyMap<string, CertificateExtension> {
  const byOid = new Map<string, CertificateExtension>()
  for (const extension of readTlvs(list?.value ?? new Uint8Array(0), refuse)) {
    const [name, ...rest] = readTlvs(extension.value, refuse)
    const [critical] = rest.length === 2 ? rest : []
    const value = rest.at(-1)
    if (
      extension.tag !== derTags.sequence ||
      name?.tag !== derTags.oid ||
      value?.tag !== derTags.octetString ||
      rest.length > 2 ||
      (critical !== undefined && flagOf(critical) === null)
    ) {
      throw refuse('an extension is not a name with a value')
    }
    const oid = readOid(name.value, refuse)
    if (byOid.has(oid)) throw refuse('an extension comes twice')
    byOid.set(oid, { critical: critical !== undefined && flagOf(critical) === true, value: value.value })
  }
  return byOid
}

/** Null for what is none. A false that need not be written is read, since vendors write it. */
function flagOf({ tag, value }: TagLengthValue): boolean | null {
  if (tag !== derTags.boolean || value.length !== 1 || (value[0] !== 0 && value[0] !== 0xff)) return null
  return value[0] === 0xff
}

function readBasicConstraints(
  extension: CertificateExtension | undefined,
  refuse: Refuse,
): Pick<CertificateExtensions, 'isCa' | 'pathLength'> {
  if (extension === undefined) return { isCa: false, pathLength: null }
  const [sequence, ...more] = readTlvs(extension.value, refuse)
  if (sequence?.tag !== derTags.sequence || more.length > 0) throw refuse('basic constraints are not DER')
  const values = [...readTlvs(sequence.value, refuse)]
  const isCa = values[0]?.tag === derTags.boolean ? flagOf(values.shift() as TagLengthValue) : false
  const [length, ...rest] = values
  const isLength =
    length?.tag === derTags.integer && length.value.length === 1 && (length.value[0] ?? 0x80) < 0x80
  if (isCa === null || rest.length > 0 || (length !== undefined && !isLength)) {
    throw refuse('basic constraints are not DER')
  }
  return { isCa, pathLength: length?.value[0] ?? null }
}

function readKeyUsage(extension: CertificateExtension | undefined, refuse: Refuse): number | null {
  if (extension === undefined) return null
  const [bits, ...more] = readTlvs(extension.value, refuse)
  const [unused = 8, first = 0, second = 0, ...rest] = bits?.value ?? []
  if (bits?.tag !== derTags.bitString || unused > 7 || rest.length > 0 || more.length > 0) {
    throw refuse('key usage is not DER')
  }
  return reversed(first) | (reversed(second) << 8)
}

/** Bit 0 of a BIT STRING is the highest of its first byte. */
function reversed(byte: number): number {
  let bits = 0
  for (let i = 0; i < 8; i++) bits |= ((byte >> i) & 1) << (7 - i)
  return bits
}

/** Dotted form; arcs of up to 49 bits. */
function readOid(bytes: Uint8Array, refuse: Refuse): string {
  const arcs: number[] = []
  let arc = 0
  let sizeBytes = 0
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f)
    if (++sizeBytes > 7 || (arc === 0 && byte === 0x80)) throw refuse('the name of an extension is not DER')
    if (byte >= 0x80) continue
    arcs.push(arc)
    arc = 0
    sizeBytes = 0
  }
  const [first, ...rest] = arcs
  if (first === undefined || sizeBytes > 0) throw refuse('the name of an extension is not DER')
  const root = Math.min(Math.trunc(first / 40), 2)
  return [root, first - 40 * root, ...rest].join('.')
}
