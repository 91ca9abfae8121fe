// SPDX-License-Identifier: Apache-2.0
import { concatBytes, fromHex, sha256, toHex, uint32Bytes, utf8Bytes } from '@mlcapsule/crypto'
import type { EvidenceVerifier, ExamineContext, TrustStore } from '../src/evidence/verifier.ts'
import type { DcapClaims } from '../src/platforms/dcap/claims.ts'
import { sgxVerifier } from '../src/platforms/sgx/verifier.ts'
import { tdxVerifier } from '../src/platforms/tdx/verifier.ts'
import type { Certificate } from '../src/x509/certificate.ts'
import { Extension } from '../src/x509/library.ts'
import {
  type CertificateOptions,
  type CrlOptions,
  chainNowMs,
  type Issued,
  issue,
  makeCrl,
  makeKeys,
  pemOf,
} from './certificates.ts'
import { der } from './der.ts'

const filler = (sizeBytes: number, byte: number) => new Uint8Array(sizeBytes).fill(byte)

// biome-ignore lint/suspicious/noExplicitAny: tests put in what no type allows
type Any = any

/** Fields of the PCK extension, as tests change them. */
export interface PckFields {
  ppid: string
  components: number[]
  pceSvn: number
  pceId: string
  fmspc: string
}

/** All that a quote and its collateral are made of, in order: tests change it before it is signed. */
export interface DcapPlan {
  version: number
  attestationKeyType: number
  teeType: number
  vendor: string
  /** Of version 5. */
  bodyType: number
  bodySizeBytes: number
  body: Uint8Array
  qeReport: Uint8Array
  authData: Uint8Array
  /** Of version 4 and 5. */
  outerDataType: number
  certificationDataType: number
  /** Whether the quoting enclave vouches for the attestation key. */
  bindsKey: boolean
  root: Partial<CertificateOptions>
  authority: Partial<CertificateOptions>
  leaf: Partial<CertificateOptions>
  signer: Partial<CertificateOptions>
  /** Who issues the certificate that signs tables. */
  signerIssuer: 'root' | 'authority'
  pck: PckFields
  /** DER of the extension in place of `pck`; null for none. */
  extension: Uint8Array | null | undefined
  tcbInfo: Any
  qeIdentity: Any
  rootCrl: CrlOptions
  pckCrl: CrlOptions
  /** Certificates of the quote. */
  chain: (chain: readonly Certificate[]) => readonly Certificate[]
}

export interface DcapMade {
  readonly tee: 'sgx' | 'tdx'
  bytes: Uint8Array
  readonly collateral: Map<string, Uint8Array>
  /** Its trust store is that of the kind that was made, which only its tests know. */
  readonly context: Omit<ExamineContext, 'trustStore'> & { readonly trustStore: Any }
  readonly root: Issued
  readonly authority: Issued
  readonly leaf: Issued
  readonly signer: Issued
}

const [issueDate, nextUpdate] = ['2026-05-20T00:00:00Z', '2026-06-20T00:00:00Z']
const qeSigner = 'C4'.repeat(32)
export const fmspc = '00906ed50000'

function level(sgx: number, pcesvn: number, tcbStatus: string, more: object = {}) {
  return {
    tcb: { sgxtcbcomponents: Array.from({ length: 16 }, () => ({ svn: sgx })), pcesvn },
    tcbDate: '2026-01-01T00:00:00Z',
    tcbStatus,
    ...more,
  }
}

export function isvLevel(isvsvn: number, tcbStatus: string, advisoryIDs: string[] = []) {
  return { tcb: { isvsvn }, tcbDate: '2026-01-01T00:00:00Z', tcbStatus, advisoryIDs }
}

/** TDX components: the module's SVN and version, then 14 that are alike. */
const tdxComponents = (moduleSvn: number, rest: number) =>
  Array.from({ length: 16 }, (_, i) => ({ svn: i === 0 ? moduleSvn : i === 1 ? 0 : rest }))

function tcbInfoOf(tee: 'sgx' | 'tdx'): Any {
  const common = {
    id: tee.toUpperCase(),
    version: 3,
    issueDate,
    nextUpdate,
    fmspc: fmspc.toUpperCase(),
    pceId: '0000',
    tcbType: 0,
    tcbEvaluationDataNumber: 20,
  }
  const levels = [
    level(5, 11, 'UpToDate'),
    level(4, 11, 'OutOfDate', { advisoryIDs: ['INTEL-SA-00001'] }),
    level(2, 5, 'Revoked'),
  ]
  if (tee === 'sgx') return { ...common, tcbLevels: levels }
  const module = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }
  return {
    ...common,
    tdxModule: module,
    tdxModuleIdentities: [
      {
        id: 'TDX_01',
        ...module,
        tcbLevels: [
          isvLevel(5, 'UpToDate'),
          isvLevel(3, 'OutOfDate', ['INTEL-SA-00003']),
          isvLevel(1, 'Revoked'),
        ],
      },
    ],
    tcbLevels: levels.map((it, i) => ({
      ...it,
      tcb: { ...it.tcb, tdxtcbcomponents: tdxComponents(5 - i, 3 - i) },
    })),
  }
}

function qeIdentityOf(tee: 'sgx' | 'tdx'): Any {
  return {
    id: tee === 'sgx' ? 'QE' : 'TD_QE',
    version: 2,
    issueDate,
    nextUpdate,
    tcbEvaluationDataNumber: 20,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: qeSigner,
    isvprodid: tee === 'sgx' ? 1 : 2,
    tcbLevels: [
      isvLevel(8, 'UpToDate'),
      isvLevel(6, 'OutOfDate', ['INTEL-SA-00002']),
      isvLevel(4, 'Revoked'),
    ],
  }
}

/** Offsets of an SGX report body. */
export const sgxAt = {
  miscSelect: 16,
  attributes: 48,
  mrEnclave: 64,
  mrSigner: 128,
  configId: 192,
  isvProdId: 256,
  isvSvn: 258,
  reportData: 320,
}
/** Offsets of a TD report body. */
export const tdAt = {
  teeTcbSvn: 0,
  mrSeam: 16,
  mrSignerSeam: 64,
  seamAttributes: 112,
  tdAttributes: 120,
  xfam: 128,
  mrTd: 136,
  mrConfigId: 184,
  mrOwner: 232,
  mrOwnerConfig: 280,
  rtmr0: 328,
  rtmr3: 472,
  reportData: 520,
  teeTcbSvn2: 584,
  mrServiceTd: 600,
}

export const madeReportData = Uint8Array.from({ length: 64 }, (_, i) => i + 1)

function sgxBody(): Uint8Array {
  const body = new Uint8Array(384)
  body.set([5], sgxAt.attributes)
  body.set(filler(32, 0xe1), sgxAt.mrEnclave)
  body.set(filler(32, 0x51), sgxAt.mrSigner)
  body.set([7, 0, 3, 0], sgxAt.isvProdId)
  body.set(madeReportData, sgxAt.reportData)
  return body
}

function tdBody(sizeBytes: number): Uint8Array {
  const body = new Uint8Array(sizeBytes)
  body.set([5, 1, ...filler(14, 3)], tdAt.teeTcbSvn)
  body.set(filler(48, 0x5e), tdAt.mrSeam)
  body.set([0, 0, 0, 0x10], tdAt.tdAttributes)
  body.set(fromHex('e702060000000000'), tdAt.xfam)
  body.set(filler(48, 0x1d), tdAt.mrTd)
  for (let i = 0; i < 4; i++) body.set(filler(48, 0xa0 + i), tdAt.rtmr0 + 48 * i)
  body.set(madeReportData, tdAt.reportData)
  if (sizeBytes > 584) body.set([5, 1, ...filler(14, 3)], tdAt.teeTcbSvn2)
  return body
}

function qeReportOf(tee: 'sgx' | 'tdx'): Uint8Array {
  const report = new Uint8Array(384)
  report.set([0x15], sgxAt.attributes)
  report.set(fromHex(qeSigner.toLowerCase()), sgxAt.mrSigner)
  report.set([tee === 'sgx' ? 1 : 2, 0, 8, 0], sgxAt.isvProdId)
  return report
}

function planOf(tee: 'sgx' | 'tdx', version: number): DcapPlan {
  const isTdx = tee === 'tdx'
  const bodySizeBytes = isTdx ? (version === 5 ? 648 : 584) : 384
  return {
    version,
    attestationKeyType: 2,
    teeType: isTdx ? 0x81 : 0,
    vendor: '939a7233f79c4ca9940a0db3957f0607',
    bodyType: isTdx ? 3 : 1,
    bodySizeBytes,
    body: isTdx ? tdBody(bodySizeBytes) : sgxBody(),
    qeReport: qeReportOf(tee),
    authData: filler(32, 0xad),
    outerDataType: 6,
    certificationDataType: 5,
    bindsKey: true,
    root: {},
    authority: {},
    leaf: {},
    signer: {},
    signerIssuer: 'root',
    pck: {
      ppid: 'b1'.repeat(16),
      components: Array.from({ length: 16 }, () => 5),
      pceSvn: 11,
      pceId: '0000',
      fmspc,
    },
    extension: undefined,
    tcbInfo: tcbInfoOf(tee),
    qeIdentity: qeIdentityOf(tee),
    rootCrl: {},
    pckCrl: {},
    chain: (chain) => chain,
  }
}

const little = (sizeBytes: number, value: number) => uint32Bytes(value).reverse().subarray(0, sizeBytes)

/** A field of the PCK extension: its arcs below 1.2.840.113741.1.13.1, and its value. */
export function pckField(arcs: readonly number[], value: Uint8Array): Uint8Array {
  return der(0x30, der(0x06, fromHex('2a864886f84d010d01'), Uint8Array.from(arcs)), value)
}

export function derInteger(value: number): Uint8Array {
  const digits =
    value < 0x80 ? [value] : value < 0x8000 ? [value >> 8, value & 0xff] : [0, value >> 8, value & 0xff]
  return der(0x02, Uint8Array.from(digits))
}

/** The fields that every PCK certificate has. */
export function pckFields(pck: PckFields): Uint8Array[] {
  const tcb = [
    ...pck.components.map((svn, i) => pckField([2, i + 1], derInteger(svn))),
    pckField([2, 17], derInteger(pck.pceSvn)),
    pckField([2, 18], der(0x04, Uint8Array.from(pck.components))),
  ]
  return [
    pckField([1], der(0x04, fromHex(pck.ppid))),
    pckField([2], der(0x30, ...tcb)),
    pckField([3], der(0x04, fromHex(pck.pceId))),
    pckField([4], der(0x04, fromHex(pck.fmspc))),
    pckField([5], der(0x0a, Uint8Array.of(1))),
  ]
}

export const pckExtensionOid = '1.2.840.113741.1.13.1'

async function sign(keys: CryptoKeyPair, bytes: Uint8Array): Promise<Uint8Array> {
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  return new Uint8Array(await crypto.subtle.sign(algorithm, keys.privateKey, new Uint8Array(bytes)))
}

/** `{"<member>":…,"signature":"…"}` as Intel serves it. */
export async function signedJson(member: string, value: unknown, keys: CryptoKeyPair): Promise<Uint8Array> {
  const text = JSON.stringify(value)
  const signature = toHex(await sign(keys, utf8Bytes(text)))
  return utf8Bytes(`{"${member}":${text},"signature":"${signature}"}`)
}

/** A quote with its collateral under a root of its own: in order, but for what `edit` changes. */
export async function makeDcap(
  tee: 'sgx' | 'tdx',
  edit: (plan: DcapPlan) => unknown = () => {},
  version: number = tee === 'sgx' ? 3 : 4,
): Promise<DcapMade> {
  const plan = planOf(tee, version)
  edit(plan)
  const extension = plan.extension === undefined ? der(0x30, ...pckFields(plan.pck)) : plan.extension
  const root = await issue({ name: 'Intel SGX Root CA', isCa: true, ...plan.root }, null)
  const authority = await issue(
    { name: 'Intel SGX PCK Platform CA', isCa: true, serial: '02', ...plan.authority },
    root,
  )
  const leaf = await issue(
    {
      name: 'Intel SGX PCK Certificate',
      serial: '03',
      extensions:
        extension === null ? [] : [new Extension(pckExtensionOid, false, new Uint8Array(extension))],
      ...plan.leaf,
    },
    authority,
  )
  const signer = await issue(
    { name: 'Intel SGX TCB Signing', serial: '04', ...plan.signer },
    plan.signerIssuer === 'root' ? root : authority,
  )
  const issuerChain = utf8Bytes(pemOf(signer.certificate, root.certificate))
  const collateral = new Map([
    [`intel/${tee}/tcb/${plan.pck.fmspc}`, await signedJson('tcbInfo', plan.tcbInfo, signer.keys)],
    [`intel/${tee}/tcb/${plan.pck.fmspc}/issuer-chain`, issuerChain],
    [`intel/${tee}/qe-identity`, await signedJson('enclaveIdentity', plan.qeIdentity, signer.keys)],
    [`intel/${tee}/qe-identity/issuer-chain`, issuerChain],
    ['intel/root-crl', await makeCrl(root, plan.rootCrl)],
    ['intel/pck-crl/platform', await makeCrl(authority, plan.pckCrl)],
  ])
  const bytes = await makeQuote(plan, leaf, [leaf, authority, root])
  const trusted = { rootKind: 'hardware', rootSpkiSha256s: [root.certificate.spkiSha256] } as const
  const context = { nowMs: chainNowMs, trustStore: { platform: tee, ...trusted }, collateral }
  return { tee, bytes, collateral, context, root, authority, leaf, signer }
}

async function makeQuote(plan: DcapPlan, leaf: Issued, chain: readonly Issued[]): Promise<Uint8Array> {
  const attestation = await makeKeys()
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', attestation.publicKey)).subarray(1)
  const signedBytes = concatBytes(
    little(2, plan.version),
    little(2, plan.attestationKeyType),
    little(4, plan.teeType),
    little(4, 0),
    fromHex(plan.vendor),
    new Uint8Array(20),
    ...(plan.version === 5 ? [little(2, plan.bodyType), little(4, plan.bodySizeBytes)] : []),
    plan.body,
  )
  const qeReport = plan.qeReport.slice()
  if (plan.bindsKey) qeReport.set(sha256(point, plan.authData), sgxAt.reportData)
  const pem = utf8Bytes(pemOf(...plan.chain(chain.map(({ certificate }) => certificate))))
  const quotingEnclave = concatBytes(
    qeReport,
    await sign(leaf.keys, qeReport),
    little(2, plan.authData.length),
    plan.authData,
    little(2, plan.certificationDataType),
    little(4, pem.length),
    pem,
  )
  const signatureData = concatBytes(
    await sign(attestation, signedBytes),
    point,
    ...(plan.version === 3 ? [] : [little(2, plan.outerDataType), little(4, quotingEnclave.length)]),
    quotingEnclave,
  )
  return concatBytes(signedBytes, little(4, signatureData.length), signatureData)
}

/** What is found in a quote of either kind, whomever it was made for. */
export async function examineMade(
  { tee, bytes, context }: Pick<DcapMade, 'tee' | 'bytes' | 'context'>,
  more: { readonly nowMs?: number } = {},
) {
  const verifier: EvidenceVerifier<TrustStore, DcapClaims> = tee === 'sgx' ? sgxVerifier : tdxVerifier
  const { unbound } = await verifier.examine({ platform: tee, bytes }, { ...context, ...more })
  return unbound
}
