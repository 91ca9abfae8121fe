// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import type { Certificate } from '../../x509/certificate.ts'
import { parseCertificateTable, type TableCertificate } from './certificate-table.ts'
import { parseSevSnpReport, type SevSnpReport, sevSnpReportSizeBytes } from './layout.ts'
import { productOfAuthority, productOfCpuId, type SevSnpProduct } from './product.ts'
import { tcbHex } from './tcb.ts'

export interface SevSnpEvidence {
  readonly report: SevSnpReport
  /** What the host handed over with it; often nothing. */
  readonly certificates: ReadonlyMap<TableCertificate, Certificate>
}

/**
 * Reads evidence: a report, and the table of certificates behind it, if there is one.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`, `ATTESTATION_EVIDENCE_UNSUPPORTED`,
 * `ATTESTATION_CERTIFICATE_INVALID`
 */
export function parseSevSnpEvidence(bytes: Uint8Array): SevSnpEvidence {
  const report = parseSevSnpReport(bytes.subarray(0, sevSnpReportSizeBytes))
  return { report, certificates: parseCertificateTable(bytes.subarray(sevSnpReportSizeBytes)) }
}

/**
 * Products that the evidence can be of: one, if the report says which, or a certificate that came with it does; else those
 * whose firmware wrote reports of version 2. Empty for a processor that is not known.
 */
export function possibleProducts({ report, certificates }: SevSnpEvidence): readonly SevSnpProduct[] {
  const { cpuId, signingKey } = report
  const named = certificates.get(signingKey)?.issuerCommonName ?? certificates.get('ask')?.commonName
  if (cpuId === null && named === undefined) return ['Milan', 'Genoa']
  const product = cpuId === null ? productOfAuthority(named ?? '', signingKey) : productOfCpuId(cpuId)
  return product === null ? [] : [product]
}

export function vcekName(report: SevSnpReport, product: SevSnpProduct): string {
  return `amd/vcek/${product}/${toHex(report.chipId)}/${tcbHex(report.reportedTcb)}`
}

export function chainName({ signingKey }: SevSnpReport, product: SevSnpProduct): string {
  return `amd/chain/${signingKey}/${product}`
}

export function crlName({ signingKey }: SevSnpReport, product: SevSnpProduct): string {
  return `amd/crl/${signingKey}/${product}`
}

/**
 * What else is needed to verify it, for each product that it can be of. The certificate of a VLEK is not published: it has to
 * be in the table.
 */
export function sevSnpCollateralNames(evidence: SevSnpEvidence): readonly (readonly string[])[] {
  const { report, certificates } = evidence
  const needsLeaf = report.signingKey === 'vcek' && !certificates.has('vcek')
  const needsChain = !certificates.has('ask') || !certificates.has('ark')
  return possibleProducts(evidence).map((product) => [
    ...(needsLeaf ? [vcekName(report, product)] : []),
    ...(needsChain ? [chainName(report, product)] : []),
    crlName(report, product),
  ])
}
