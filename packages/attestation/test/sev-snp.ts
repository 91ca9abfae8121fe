// SPDX-License-Identifier: Apache-2.0
import { concatBytes, fromHex, uint32Bytes, utf8Bytes } from '@mlcapsule/crypto'
import type { EndorsementKeyKind, SevSnpProduct, SevSnpTrustStore } from '../src/platforms/sev-snp/index.ts'
import { sevSnpTrustStore } from '../src/platforms/sev-snp/index.ts'
import { Extension } from '../src/x509/library.ts'
import {
  type CertificateOptions,
  type CrlOptions,
  type Issued,
  issue,
  makeCrl,
  p384,
  pemOf,
  rsaPss,
} from './certificates.ts'

export const chipId: Uint8Array = Uint8Array.from({ length: 64 }, (_, i) => i + 1)
export const turinChipId: Uint8Array = concatBytes(chipId.subarray(0, 8), new Uint8Array(56))
export const snpReportData: Uint8Array = new Uint8Array(64).fill(7)
const cloud = 'cc.cloud.example'

/** Numbers of the firmware's parts, lowest byte first as in a report. */
export const firmware: Readonly<Record<SevSnpProduct, readonly number[]>> = {
  Milan: [4, 0, 0, 0, 0, 0, 24, 219],
  Genoa: [10, 0, 0, 0, 0, 0, 23, 84],
  Turin: [1, 3, 2, 5, 0, 0, 0, 82],
}
const cpuIds: Readonly<Record<SevSnpProduct, readonly number[]>> = {
  Milan: [0x19, 0x01, 1],
  Genoa: [0x19, 0x11, 1],
  Turin: [0x1a, 0x02, 1],
}
/** By byte of the number above: which of the vendor's extensions holds it. */
const extensionOf: Readonly<Record<SevSnpProduct, readonly (number | null)[]>> = {
  Milan: [1, 2, 4, 5, 6, 7, 3, 8],
  Genoa: [1, 2, 4, 5, 6, 7, 3, 8],
  Turin: [9, 1, 2, 3, null, null, null, 8],
}

/** DER of an INTEGER that is a byte. */
export const derByte = (value: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(value < 0x80 ? [2, 1, value] : [2, 2, 0, value])
const derText = (text: string) => Uint8Array.from([0x16, text.length, ...new TextEncoder().encode(text)])

/** The vendor's extensions, by what follows its arc. Null leaves one out. */
export type KeyExtensions = Readonly<Record<string, Uint8Array | null>>

export function keyExtensions(
  product: SevSnpProduct,
  kind: EndorsementKeyKind,
  changes: KeyExtensions = {},
): readonly Extension[] {
  const values: Record<string, Uint8Array | null> = {
    1: derByte(0),
    2: derText(product),
    ...Object.fromEntries(
      extensionOf[product].flatMap((it, at) =>
        it === null ? [] : [[`3.${it}`, derByte(firmware[product][at] ?? 0)]],
      ),
    ),
    4: kind === 'vlek' ? null : product === 'Turin' ? chipId.slice(0, 8) : chipId,
    5: kind === 'vlek' ? derText(cloud) : null,
    ...changes,
  }
  return Object.entries(values).flatMap(([suffix, value]) =>
    value === null ? [] : [new Extension(`1.3.6.1.4.1.3704.1.${suffix}`, false, new Uint8Array(value))],
  )
}

export interface SnpAuthorities {
  readonly product: SevSnpProduct
  readonly kind: EndorsementKeyKind
  readonly root: Issued
  readonly authority: Issued
}

/** A root and an authority with the names of AMD's. */
export async function snpAuthorities(
  product: SevSnpProduct = 'Milan',
  kind: EndorsementKeyKind = 'vcek',
  changes: Partial<CertificateOptions> = {},
): Promise<SnpAuthorities> {
  const root = await issue({ name: `ARK-${product}`, isCa: true }, null, rsaPss)
  const name = kind === 'vcek' ? `SEV-${product}` : `SEV-VLEK-${product}`
  const authority = await issue({ name, isCa: true, serial: '0102', ...changes }, root, rsaPss)
  return { product, kind, root, authority }
}

export interface LeafChanges extends Partial<CertificateOptions> {
  readonly values?: KeyExtensions
}

/** The certificate of an endorsement key, with its key. Its serial number is 0, as AMD's. */
export async function snpLeaf(
  { product, kind, authority }: SnpAuthorities,
  { values = {}, ...changes }: LeafChanges = {},
): Promise<Issued> {
  const name = kind === 'vcek' ? 'SEV-VCEK' : 'SEV-VLEK'
  const extensions = keyExtensions(product, kind, values)
  return await issue({ name, serial: '00', keyUsage: null, extensions, ...changes }, authority, p384)
}

/** What a test can get wrong in a report: bytes by offset, written before it is signed. */
export type ReportChanges = Readonly<Record<number, readonly number[] | Uint8Array>>

/** A report of version 3 that is in order but for the changes, without a signature. */
export function snpReport(
  { product, kind }: Pick<SnpAuthorities, 'product' | 'kind'>,
  changes: ReportChanges = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1184)
  const tcb = firmware[product]
  const fields: ReportChanges = {
    0: [3],
    4: [9],
    8: [0, 0, 3],
    52: [1],
    56: tcb,
    72: [kind === 'vlek' ? 4 : 0],
    80: snpReportData,
    144: new Uint8Array(48).fill(0x5a),
    192: new Uint8Array(32).fill(0x6b),
    224: new Uint8Array(48).fill(0x1d),
    384: tcb,
    392: cpuIds[product],
    416: kind === 'vlek' ? new Uint8Array(64) : product === 'Turin' ? turinChipId : chipId,
    480: tcb,
    488: [40, 55, 1, 0, 40, 55, 1, 0],
    496: tcb,
  }
  for (const [at, value] of [...Object.entries(fields), ...Object.entries(changes)])
    bytes.set(value, Number(at))
  return bytes
}

/** Signs as the firmware does: r and s with their lowest byte first, in 72 bytes each. */
export async function signSnpReport(
  report: Uint8Array<ArrayBuffer>,
  { keys }: Pick<Issued, 'keys'>,
  hash = 'SHA-384',
): Promise<Uint8Array<ArrayBuffer>> {
  const algorithm = { name: 'ECDSA', hash }
  const raw = new Uint8Array(await crypto.subtle.sign(algorithm, keys.privateKey, report.subarray(0, 0x2a0)))
  const signed = report.slice()
  signed.set(raw.slice(0, 48).reverse(), 0x2a0)
  signed.set(raw.slice(48).reverse(), 0x2e8)
  return signed
}

export const tableGuids = {
  vcek: '63da758de6644564adc5f4b93be8accd',
  vlek: 'a8074bc2a25a483eaae639c045a0b8a1',
  ask: '4ab7b379bbac4fe4a02f05aef327c782',
  ark: 'c0b406a4a803495297433fb6014cd0ae',
} as const

/** A table as a host hands it over: entries, a zero entry, and what they point to. */
export function snpTable(entries: readonly (readonly [guid: string, bytes: Uint8Array])[]): Uint8Array {
  let at = (entries.length + 1) * 24
  const header = entries.flatMap(([guid, { length }]) => {
    const numbers = [at, length].map((it) => uint32Bytes(it).reverse())
    at += length
    return [fromHex(guid), ...numbers]
  })
  return concatBytes(...header, new Uint8Array(24), ...entries.map(([, bytes]) => bytes))
}

/** All collateral of a platform, by name. */
export async function snpCollateral(
  authorities: SnpAuthorities,
  leaf: Issued,
  crl: CrlOptions = {},
): Promise<Map<string, Uint8Array>> {
  const { product, kind, root, authority } = authorities
  const tcb = firmware[product].map((it) => it.toString(16).padStart(2, '0')).reverse()
  const id = product === 'Turin' ? turinChipId : chipId
  const hex = [...id].map((it) => it.toString(16).padStart(2, '0'))
  return new Map([
    [`amd/vcek/${product}/${hex.join('')}/${tcb.join('')}`, leaf.certificate.der],
    [`amd/chain/${kind}/${product}`, utf8Bytes(pemOf(authority.certificate, root.certificate))],
    [`amd/crl/${kind}/${product}`, await makeCrl(root, crl)],
  ])
}

/** Trusts these roots for every product: a test that needs one alone says so. */
export function snpTestRoots(...authorities: readonly SnpAuthorities[]): Pick<SevSnpTrustStore, 'rootKeys'> {
  const keys = authorities.map(({ root }) => root.certificate.spkiSha256)
  return { rootKeys: { Milan: keys, Genoa: keys, Turin: keys } }
}

export const snpTestStore = (...authorities: readonly SnpAuthorities[]): SevSnpTrustStore =>
  sevSnpTrustStore(snpTestRoots(...authorities))
