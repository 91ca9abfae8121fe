// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from 'node:crypto'
import { AttestationError } from '@mlcapsule/attestation'
import {
  type EndorsementKeyInfo,
  type FirmwareVersion,
  parseSevSnpEvidence,
  readEndorsementKey,
  type SevSnpEvidence,
  sevSnpReportSizeBytes,
  sevSnpTrustStore,
  sevSnpVerifier,
  tcbHex,
} from '@mlcapsule/attestation/sev-snp'
import { concatBytes, fromHex, sha256, toHex, uint32Bytes } from '@mlcapsule/crypto'
import type { CaseOptions, CaseRunner, VectorCase } from '../case.ts'
import { sectionOf, strictOutcome } from '../strict.ts'

const section = sectionOf(sevSnpVerifier, { vmpl: 0, migrationAgent: false })

/** The vectors have none of AMD's lists of revoked certificates. */
function trustStoreOf(vector: VectorCase, { vendorRootsOnly = false }: CaseOptions) {
  const { trustAnchor } = vector.expected
  if (trustAnchor === 'amd-ark' || vendorRootsOnly) return sevSnpTrustStore({ revocation: 'unchecked' })
  const { publicKey } = new X509Certificate(vector.text(trustAnchor))
  const roots = [toHex(sha256(new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))))]
  const rootKeys = { Milan: roots, Genoa: roots, Turin: roots }
  return sevSnpTrustStore({ rootKeys, revocation: 'unchecked' })
}

const guids = { vcek: '63da758de6644564adc5f4b93be8accd', vlek: 'a8074bc2a25a483eaae639c045a0b8a1' }

/** A table that holds one certificate: how a host hands over that of a VLEK. */
function withTable(report: Uint8Array, kind: 'vcek' | 'vlek', certificate: Uint8Array): Uint8Array {
  const headerSizeBytes = 48
  const numbers = [headerSizeBytes, certificate.length].map((it) => uint32Bytes(it).reverse())
  return concatBytes(report, fromHex(guids[kind]), ...numbers, new Uint8Array(24), certificate)
}

/** The case's report with its certificate behind it, as `runSnpCase` takes it in place of the report too. */
export function tabledEvidence(vector: VectorCase): Uint8Array {
  const report = vector.read(vector.expected.evidenceFile)
  const { signingKey } = parseSevSnpEvidence(report).report
  return withTable(report, signingKey, vector.read('vcek.der'))
}

/** The case's evidence, what belongs to it, and the two read; null where they cannot be. */
function readEvidence(vector: VectorCase) {
  const given = vector.read(vector.expected.evidenceFile)
  const [leaf, chain] = [vector.read('vcek.der'), vector.read('ask_ark.pem')]
  const collateral = new Map<string, Uint8Array>()
  try {
    const { signingKey } = parseSevSnpEvidence(given).report
    const isTabled = given.length > sevSnpReportSizeBytes
    const tabled = isTabled ? given : withTable(given, signingKey, leaf)
    const bytes = signingKey === 'vlek' ? tabled : given
    const evidence = parseSevSnpEvidence(tabled)
    const certificate = evidence.certificates.get(signingKey)
    if (certificate === undefined) return { bytes, collateral, read: null }
    const key = readEndorsementKey(certificate)
    for (const name of sevSnpVerifier.collateralNames({ platform: 'sev-snp', bytes }).flat()) {
      if (name.startsWith('amd/vcek/')) collateral.set(name, leaf)
      if (name.startsWith('amd/chain/')) collateral.set(name, chain)
    }
    return { bytes, collateral, read: { evidence, key } }
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return { bytes: given, collateral, read: null }
  }
}

/** A case's own evidence with what belongs to it, ready to be verified. */
export function snpVerification(vector: VectorCase, options: CaseOptions = {}) {
  const { nowMs = Date.parse(vector.expected.now) } = options
  const { bytes, collateral, read } = readEvidence(vector)
  const trustStore = trustStoreOf(vector, options)
  const expectedReportData = read?.evidence.report.reportData ?? new Uint8Array(64)
  const context = { nowMs, trustStore, collateral, expectedReportData }
  return { nowMs, read, verify: () => sevSnpVerifier.verify({ platform: 'sev-snp', bytes }, context) }
}

export const runSnpCase: CaseRunner = async (vector, options = {}) => {
  const { nowMs, read, verify } = snpVerification(vector, options)
  const outcome = await strictOutcome({ verifier: sevSnpVerifier, section, nowMs }, verify)
  return { ...outcome, fields: read === null ? null : fieldsOf(read.evidence, read.key) }
}

const versionText = ({ major, minor, build }: FirmwareVersion) => `${major}.${minor}.${build}`
const byteHex = (value: number) => value.toString(16).padStart(2, '0')
/** The vectors hold these numbers as they lie in the report, lowest byte first. */
const tcbBytes = (tcb: bigint) => toHex(fromHex(tcbHex(tcb)).reverse())
const numberHex = (value: bigint | number) => `0x${value.toString(16)}`

/** As the vectors name them. */
function fieldsOf({ report }: SevSnpEvidence, key: EndorsementKeyInfo): Readonly<Record<string, unknown>> {
  const { family, model, stepping } = report.cpuId ?? { family: 0, model: 0, stepping: 0 }
  return {
    version: report.version,
    guestSvn: report.guestSvn,
    policy: numberHex(report.policyBits),
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    vmpl: report.vmpl,
    sigAlgo: report.signatureAlgorithm,
    currentTcb: tcbBytes(report.currentTcb),
    platformInfo: numberHex(report.platformInfo),
    flags: numberHex(report.flags),
    signingKey: report.signingKey === 'vcek' ? 0 : 1,
    maskChipKey: Number(report.chipKeyMasked),
    authorKeyEn: Number(report.authorKeyEnabled),
    reportData: toHex(report.reportData),
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: toHex(report.authorKeyDigest),
    reportId: toHex(report.reportId),
    reportIdMa: toHex(report.reportIdMigrationAgent),
    reportedTcb: tcbBytes(report.reportedTcb),
    cpuid: [family, model, stepping].map(byteHex).join(''),
    chipId: toHex(report.chipId),
    committedTcb: tcbBytes(report.committedTcb),
    currentVer: versionText(report.currentVersion),
    committedVer: versionText(report.committedVersion),
    launchTcb: tcbBytes(report.launchTcb),
    len: sevSnpReportSizeBytes,
    vcek: keyFieldsOf(key),
  }
}

function keyFieldsOf(key: EndorsementKeyInfo): Readonly<Record<string, unknown>> {
  const { structVersion, productName, parts, hardwareId, cspId } = key
  const { bootloader, microcode, ...others } = parts
  return {
    structVersion,
    productName,
    bl: bootloader,
    ucode: microcode,
    ...others,
    ...(hardwareId === null ? {} : { hwid: toHex(hardwareId) }),
    ...(cspId === null ? {} : { cspId }),
  }
}
