// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import { Certificate } from '../../x509/certificate.ts'
import { RevocationList } from '../../x509/revocation-list.ts'
import { readCertificates } from './ek-root.ts'
import { chainMaxCount, type EndorsementKey, verifyEndorsementKey } from './endorsement-key.ts'
import type { EnrollmentRequest } from './enrollment-files.ts'

export interface VerifyEnrollmentRequestInput {
  readonly request: EnrollmentRequest
  /** DER of the roots that are trusted. */
  readonly roots: readonly Uint8Array[]
  /** Files of authorities that the request does not bring: PEM or DER. They need no trust of their own. */
  readonly intermediates: readonly Uint8Array[]
  /**
   * Lists of revoked certificates in DER, of every authority in the chain; `'unchecked'` where the maker publishes none,
   * or whoever enrolls does without.
   */
  readonly revocationLists: readonly Uint8Array[] | 'unchecked'
  readonly nowMs: number
}

/**
 * Finds the way from a request's endorsement key to a trusted root, and validates it.
 * @throws AttestationError `ATTESTATION_ROOT_UNKNOWN` where there is none, else as `verifyEndorsementKey` does;
 * `ATTESTATION_REVOCATION_UNKNOWN` also for a list that cannot be read
 */
export async function verifyEnrollmentRequest(input: VerifyEnrollmentRequestInput): Promise<EndorsementKey> {
  const { request, nowMs, revocationLists } = input
  const [leaf, ...brought] = request.chain.map((der) => new Certificate(der))
  if (leaf === undefined) throw noRoot('there is no certificate of an endorsement key')
  const roots = input.roots.map((der) => new Certificate(der))
  const authorities = [...brought, ...input.intermediates.flatMap((it) => readCertificates(it))]
  const chain = await chainTo([leaf], authorities, roots)
  if (chain === null) {
    const top = topOf(leaf, authorities)
    throw noRoot(`no root that is trusted, and no certificate that was given, has issued ${top}`)
  }
  const revocation =
    revocationLists === 'unchecked'
      ? 'unchecked'
      : ({ lists: revocationLists.map((it) => new RevocationList(it)), covers: 'all' } as const)
  return await verifyEndorsementKey({
    chain: chain.map(({ der }) => der),
    ekRoots: roots.map(({ spkiSha256 }) => spkiSha256),
    nowMs,
    revocation,
  })
}

function noRoot(detail: string): AttestationError {
  return new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'request.chain' })
}

/** An authority may have several certificates for one name, so all are tried; no chain is longer than is accepted. */
async function chainTo(
  below: readonly Certificate[],
  authorities: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[] | null> {
  const last = below.at(-1)
  if (last === undefined || below.length >= chainMaxCount) return null
  const hasIssued = async (it: Certificate) =>
    equalBytes(it.subjectDer, last.issuerDer) && (await last.isSignedBy(it))
  for (const root of roots) if (await hasIssued(root)) return [...below, root]
  for (const it of authorities) {
    if (below.some((one) => one.equals(it)) || !(await hasIssued(it))) continue
    const chain = await chainTo([...below, it], authorities, roots)
    if (chain !== null) return chain
  }
  return null
}

/** How the highest certificate is called that leads up from the leaf by name, for messages. */
function topOf(leaf: Certificate, authorities: readonly Certificate[]): string {
  let top = leaf
  for (let step = 0; step < chainMaxCount; step++) {
    const next = authorities.find((it) => !it.equals(top) && equalBytes(it.subjectDer, top.issuerDer))
    if (next === undefined) break
    top = next
  }
  const name = top === leaf ? 'the certificate of the endorsement key' : top.commonName
  return `${name} (its issuer: ${top.issuerCommonName})`
}
