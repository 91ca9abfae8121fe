// SPDX-License-Identifier: Apache-2.0
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { type Certificate, invalidCertificate } from './certificate.ts'
import type { RevocationList } from './revocation-list.ts'
import { weaknessOfKey, weaknessOfSignature } from './strength.ts'

export interface Revocation {
  readonly lists: readonly RevocationList[]
  /** Whose revocation has to be known: of every certificate below the root, or of those alone that the root issued. */
  readonly covers: 'all' | 'issued-by-root'
}

export interface PathInput {
  /** From the leaf to the root, both included. */
  readonly chain: readonly Certificate[]
  /** SHA-256 of the SubjectPublicKeyInfo of each root that is trusted, lower-case hex. */
  readonly anchors: readonly string[]
  readonly nowMs: number
  /** `'unchecked'` where the vendor has no lists, or the policy does without. */
  readonly revocation: Revocation | 'unchecked'
  /** What the leaf's key serves for; signatures where it is absent. */
  readonly leafUse?: 'signatures' | 'secrets'
  /** Critical extensions of the leaf that the caller looks at itself, or knows that it may pass over. */
  readonly leafUnderstood?: readonly string[]
}

/**
 * Accepts a chain of certificates or throws: pinned root, names, signatures, strength of keys and hashes, times, CA flags,
 * path lengths, key usage, critical extensions, revocation.
 * @throws AttestationError `ATTESTATION_ROOT_UNKNOWN`, `ATTESTATION_CERTIFICATE_INVALID`, `ATTESTATION_CERTIFICATE_EXPIRED`,
 * `ATTESTATION_CERTIFICATE_REVOKED`, `ATTESTATION_REVOCATION_UNKNOWN`
 * @see RFC 5280 §6.1
 */
export async function validatePath(input: PathInput): Promise<void> {
  const { chain, anchors, nowMs, revocation } = input
  const root = chain.at(-1)
  if (root === undefined || chain.length < 2)
    throw invalidCertificate('a chain has a leaf and a root at least')
  if (!anchors.includes(root.spkiSha256)) {
    const detail = `root ${root.commonName} with key ${root.spkiSha256} is not trusted`
    throw new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'certificate' })
  }
  const distinct = new Set(chain.map((it) => toHex(it.der)))
  if (distinct.size < chain.length) throw invalidCertificate('a certificate stands twice in a chain')
  // All at once, since they take the most time; what comes of them is asked in order.
  const signed = chain.map((it, index) => it.isSignedBy(chain[index + 1] ?? root))
  for (const [index, certificate] of chain.entries()) {
    assertTime(certificate, nowMs)
    assertStrength(certificate, certificate === root)
    assertExtensions(certificate, index === 0 ? (input.leafUnderstood ?? []) : [])
    if (index === 0) assertLeaf(certificate, input.leafUse ?? 'signatures')
    else assertAuthority(certificate, index - 1)
    const issuer = chain[index + 1] ?? root
    assertIssuerName(certificate, issuer)
    if (!(await signed[index])) {
      throw invalidCertificate(`certificate ${certificate.commonName} is not signed by ${issuer.commonName}`)
    }
    if (revocation !== 'unchecked' && certificate !== root) {
      await assertNotRevoked(certificate, issuer, root, nowMs, revocation)
    }
  }
}

/**
 * Accepts a certificate that signs itself as one that could end a chain. Whether it is trusted is for the caller to say.
 * @throws AttestationError `ATTESTATION_CERTIFICATE_INVALID`, `ATTESTATION_CERTIFICATE_EXPIRED`
 * @see RFC 5280 §6.1
 */
export async function validateRoot(root: Certificate, nowMs: number): Promise<void> {
  assertTime(root, nowMs)
  assertStrength(root, true)
  assertExtensions(root, [])
  assertAuthority(root, 0)
  assertIssuerName(root, root)
  if (!(await root.isSignedBy(root))) {
    throw invalidCertificate(`certificate ${root.commonName} is not signed by itself`)
  }
}

function assertTime({ commonName, notBeforeMs, notAfterMs }: Certificate, nowMs: number): void {
  if (nowMs >= notBeforeMs && nowMs <= notAfterMs) return
  const [from, until] = [new Date(notBeforeMs).toISOString(), new Date(notAfterMs).toISOString()]
  const detail = `certificate ${commonName} holds from ${from} until ${until}`
  throw new AttestationError('ATTESTATION_CERTIFICATE_EXPIRED', detail, { field: 'certificate' })
}

/** The root is pinned by its key; all below it rest on signatures. */
function assertStrength(certificate: Certificate, isRoot: boolean): void {
  const weakness = weaknessOfKey(certificate) ?? (isRoot ? null : weaknessOfSignature(certificate))
  if (weakness !== null) throw invalidCertificate(`certificate ${certificate.commonName} ${weakness}`)
}

function assertExtensions({ commonName, unknownCritical }: Certificate, understood: readonly string[]): void {
  const unknown = unknownCritical.find((it) => !understood.includes(it))
  if (unknown !== undefined)
    throw invalidCertificate(`certificate ${commonName} has critical extension ${unknown}`)
}

function assertLeaf(leaf: Certificate, use: 'signatures' | 'secrets'): void {
  if (leaf.isCa)
    throw invalidCertificate(`certificate ${leaf.commonName} is that of an authority, not a leaf`)
  // Vendors of old leave the extension out of leaves; where it is, it has to allow the use.
  const fits = use === 'signatures' ? leaf.maySignData : leaf.mayTakeSecrets
  if (leaf.keyUsage !== null && !fits) {
    throw invalidCertificate(`certificate ${leaf.commonName} is not for ${use}`)
  }
}

/** @param belowCount authorities between it and the leaf */
function assertAuthority(certificate: Certificate, belowCount: number): void {
  if (!certificate.maySign('certificates')) {
    throw invalidCertificate(`certificate ${certificate.commonName} is not that of an authority`)
  }
  if (certificate.pathLength !== null && belowCount > certificate.pathLength) {
    throw invalidCertificate(`certificate ${certificate.commonName} allows no chain as long as this`)
  }
}

function assertIssuerName(certificate: Certificate, issuer: Certificate): void {
  if (equalBytes(certificate.issuerDer, issuer.subjectDer)) return
  throw invalidCertificate(
    `certificate ${certificate.commonName} names another issuer than ${issuer.commonName}`,
  )
}

async function assertNotRevoked(
  certificate: Certificate,
  issuer: Certificate,
  root: Certificate,
  nowMs: number,
  { lists, covers }: Revocation,
): Promise<void> {
  if (covers === 'issued-by-root' && issuer !== root) return
  const list = lists.find((it) => it.isOf(issuer))
  if (list === undefined) {
    const detail = `there is no list of what ${issuer.commonName} has revoked`
    throw new AttestationError('ATTESTATION_REVOCATION_UNKNOWN', detail, { field: 'crl' })
  }
  await list.assertNotRevoked(certificate, issuer, nowMs)
}
