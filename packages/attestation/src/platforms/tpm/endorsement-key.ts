// SPDX-License-Identifier: Apache-2.0
import { Certificate, invalidCertificate } from '../../x509/certificate.ts'
import { ExtendedKeyUsageExtension } from '../../x509/library.ts'
import { type PathInput, validatePath } from '../../x509/path.ts'
import { type TpmHash, tpmHashes, unsupported } from './algorithms.ts'

const subjectAltNameOid = '2.5.29.17'
/** tcg-kp-EKCertificate. */
const ekPurposeOid = '2.23.133.8.1'

/** How an endorsement key protects a secret, as the default templates have it. */
export interface EkProtection {
  readonly kind: 'rsa' | 'P-256' | 'P-384'
  /** Hash of its name, of OAEP and of the derivations. */
  readonly hash: TpmHash
  readonly cipherKeyBits: 128 | 256
}

/** An endorsement key whose certificate has been accepted. */
export interface EndorsementKey {
  readonly spki: Uint8Array<ArrayBuffer>
  readonly ekSpkiSha256: string
  readonly ekRootSpkiSha256: string
  readonly protection: EkProtection
}

export interface VerifyEndorsementKeyInput extends Pick<PathInput, 'nowMs' | 'revocation'> {
  /** DER, from the endorsement key's certificate to its maker's root. */
  readonly chain: readonly Uint8Array[]
  /** SHA-256 of the SubjectPublicKeyInfo of the roots that are trusted, lower-case hex. */
  readonly ekRoots: readonly string[]
}

/** Three authorities between root and leaf are more than any maker has. */
export const chainMaxCount = 5

/**
 * Validates the certificate of an endorsement key.
 * @throws AttestationError as `validatePath` does; `ATTESTATION_CERTIFICATE_INVALID` for a certificate that is not that of
 * an endorsement key, `ATTESTATION_EVIDENCE_UNSUPPORTED` for other keys than RSA 2048, P-256 and P-384
 * @see TCG EK Credential Profile for TPM Family 2.0, §3.2 (certificate), annex B (templates)
 */
export async function verifyEndorsementKey(input: VerifyEndorsementKeyInput): Promise<EndorsementKey> {
  if (input.chain.length > chainMaxCount)
    throw invalidCertificate(`a chain has more than ${chainMaxCount} certificates`)
  const chain = input.chain.map((der) => new Certificate(der))
  // The subject of these certificates is empty, and the alternative name (critical then) says which TPM it is. No name
  // counts here, only the key.
  const leafUnderstood = [subjectAltNameOid]
  const { nowMs, revocation } = input
  await validatePath({ chain, anchors: input.ekRoots, nowMs, revocation, leafUse: 'secrets', leafUnderstood })
  const [leaf, root] = [chain.at(0), chain.at(-1)]
  if (leaf === undefined || root === undefined) throw invalidCertificate('there is no certificate')
  const purposes = leaf.parsed.getExtension(ExtendedKeyUsageExtension)?.usages ?? []
  if (!purposes.includes(ekPurposeOid))
    throw invalidCertificate('the certificate is not that of an endorsement key')
  return {
    spki: leaf.spki,
    ekSpkiSha256: leaf.spkiSha256,
    ekRootSpkiSha256: root.spkiSha256,
    protection: protectionOf(leaf),
  }
}

/** Templates L-1, L-2 and H-3 of the profile. */
function protectionOf({ parsed }: Certificate): EkProtection {
  const algorithm = parsed.publicKey.algorithm as Partial<RsaKeyAlgorithm & EcKeyAlgorithm>
  if (algorithm.modulusLength === 2048) return { kind: 'rsa', hash: tpmHashes.sha256, cipherKeyBits: 128 }
  if (algorithm.namedCurve === 'P-256') return { kind: 'P-256', hash: tpmHashes.sha256, cipherKeyBits: 128 }
  if (algorithm.namedCurve === 'P-384') return { kind: 'P-384', hash: tpmHashes.sha384, cipherKeyBits: 256 }
  throw unsupported('secrets are sealed to endorsement keys of RSA 2048, P-256 and P-384 alone')
}
