// SPDX-License-Identifier: Apache-2.0
import { type Collateral, requireCollateral } from '../../collateral/collateral.ts'
import { AttestationError } from '../../errors.ts'
import { Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { readPemChain } from '../../x509/pem.ts'
import { chainName, possibleProducts, type SevSnpEvidence, vcekName } from './evidence.ts'
import type { SevSnpReport } from './layout.ts'
import { chainNames, productOfAuthority, type SevSnpProduct } from './product.ts'

/** Certificates with the names that the product's have; `validatePath` has not seen them. */
export interface EndorsementChain {
  readonly product: SevSnpProduct
  readonly leaf: Certificate
  readonly authority: Certificate
  readonly root: Certificate
}

/**
 * Gathers the chain of a report's key: from the table that came with it, else from collateral.
 * @throws AttestationError `ATTESTATION_EVIDENCE_UNSUPPORTED`, `ATTESTATION_COLLATERAL_MISSING`,
 * `ATTESTATION_CERTIFICATE_INVALID`, `ATTESTATION_ENDORSEMENT_MISMATCH`
 */
export function findChain(evidence: SevSnpEvidence, collateral: Collateral): EndorsementChain {
  const { report, certificates } = evidence
  const { leaf, product } = findLeaf(evidence, collateral)
  const [own, ark] = [certificates.get('ask'), certificates.get('ark')]
  const [authority, root, ...more] =
    own !== undefined && ark !== undefined
      ? [own, ark]
      : readPemChain(requireCollateral(collateral, chainName(report, product)))
  if (authority === undefined || root === undefined || more.length > 0) {
    throw invalidCertificate(`${chainName(report, product)} is an authority and a root`)
  }
  const expected = chainNames(product, report.signingKey)
  for (const [at, { commonName }] of [leaf, authority, root].entries()) {
    if (commonName === expected[at]) continue
    throw invalidCertificate(`there is certificate ${commonName} where ${expected[at]} is expected`)
  }
  return { product, leaf, authority, root }
}

/** The product is what the report says, or before version 3 the certificate of its key. */
function findLeaf(
  evidence: SevSnpEvidence,
  collateral: Collateral,
): { readonly leaf: Certificate; readonly product: SevSnpProduct } {
  const { report, certificates } = evidence
  const products = possibleProducts(evidence)
  if (products.length === 0) {
    const detail = 'SEV-SNP: the report is of a processor that is not known here'
    throw new AttestationError('ATTESTATION_EVIDENCE_UNSUPPORTED', detail, { field: 'evidence.bytes' })
  }
  const leaf = certificates.get(report.signingKey) ?? fetchedLeaf(report, products, collateral)
  const product = products.find((it) => it === productOfAuthority(leaf.issuerCommonName, report.signingKey))
  if (product !== undefined) return { leaf, product }
  const detail = `the certificate of ${leaf.issuerCommonName} is not for this report's processor or key`
  throw new AttestationError('ATTESTATION_ENDORSEMENT_MISMATCH', detail, { field: 'certificate' })
}

function fetchedLeaf(
  report: SevSnpReport,
  products: readonly SevSnpProduct[],
  collateral: Collateral,
): Certificate {
  if (report.signingKey === 'vlek') {
    const detail = 'the certificate of the VLEK has to come with the report'
    throw new AttestationError('ATTESTATION_COLLATERAL_MISSING', detail, { field: 'evidence.bytes' })
  }
  const names = products.map((it) => vcekName(report, it))
  const name = names.find((it) => collateral.get(it) !== undefined) ?? (names[0] as string)
  return new Certificate(requireCollateral(collateral, name))
}
