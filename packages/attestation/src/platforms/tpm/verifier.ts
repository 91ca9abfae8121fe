// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import { AttestationError } from '../../errors.ts'
import type { EvidenceVerifier, TrustStore, VerifiedEvidence } from '../../evidence/verifier.ts'
import { tpmQualifyingData } from '../../report/claims.ts'
import { assertReportDataSize } from '../../report/report-data.ts'
import { verifyAkCredential } from './ak-credential.ts'
import { unsupported } from './algorithms.ts'
import { assertOnlyQuoted, parseTpmEvidence } from './evidence.ts'
import { tpmPlatform } from './evidence-encoding.ts'
import { assertAttestationKey, parsePublicArea, type TpmSigningKey } from './public-area.ts'
import { pcrRegisters, type TpmClaims, tpmRules } from './rules.ts'
import type { TpmSignature } from './signature.ts'
import { verifyQuote } from './verify-quote.ts'

/**
 * Whose word counts about TPMs. Nobody is in it by default: there is no one maker of TPMs, and a TPM in software has an
 * endorsement key too.
 */
export interface TpmTrustStore extends TrustStore {
  readonly platform: 'tpm'
  readonly rootKind: 'hardware'
  /** Thumbprints of the keys that sign credentials of attestation keys: the provider's own. */
  readonly authorities: readonly string[]
  /** SHA-256 of the SubjectPublicKeyInfo of roots of makers, lower-case hex. */
  readonly ekRoots: readonly string[]
}

export function tpmTrustStore(trusted: Pick<TpmTrustStore, 'authorities' | 'ekRoots'>): TpmTrustStore {
  return { platform: tpmPlatform, rootKind: 'hardware', ...trusted }
}

export interface TpmVerifyOptions {
  readonly nowMs: number
  readonly trustStore: TpmTrustStore
  /** What the quote has to bind, in full; `'any'` where nothing is decided by it. */
  readonly expectedNonce: Uint8Array | 'any'
}

/**
 * Checks evidence of a TPM: the quote, that its key is an attestation key, and that an authority of the trust store has
 * seen that key in a TPM whose endorsement key chains to a root of the trust store.
 * @throws AttestationError as `verifyQuote` and `verifyAkCredential` do; `ATTESTATION_ROOT_UNKNOWN` for another root
 */
export async function verifyTpmEvidence(bytes: Uint8Array, options: TpmVerifyOptions): Promise<TpmClaims> {
  const { trustStore, nowMs, expectedNonce } = options
  const evidence = parseTpmEvidence(bytes)
  const ak = parsePublicArea(evidence.akPublic)
  assertAttestationKey(ak)
  const [quote, credential] = await Promise.all([
    verifyQuote({ ...evidence, key: ak.jwk, expectedNonce }),
    verifyAkCredential(evidence.akCredential, {
      authorities: trustStore.authorities,
      akName: ak.name,
      nowMs,
    }),
  ])
  assertScheme(ak, quote.signature)
  assertOnlyQuoted(evidence.pcrs, quote.pcrs)
  const { ekSpkiSha256, ekRootSpkiSha256 } = credential
  if (!trustStore.ekRoots.includes(ekRootSpkiSha256)) {
    const detail = `the trust store does not hold ${ekRootSpkiSha256}, the root of this TPM's maker`
    throw new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'evidence.akCredential' })
  }
  return { quote, akName: toHex(ak.name), ekSpkiSha256, ekRootSpkiSha256 }
}

function assertScheme({ scheme }: TpmSigningKey, used: TpmSignature): void {
  if (scheme?.name === used.scheme && scheme.hashId === used.hashId) return
  throw unsupported("the signature is not of the attestation key's own scheme")
}

/** Claims as the appraisal takes them. */
export function verifiedTpm(claims: TpmClaims): VerifiedEvidence<TpmClaims> {
  return {
    platform: tpmPlatform,
    rootKind: 'hardware',
    // A TPM measures what was booted. What keeps the owner of the machine out afterward is that system, not the TPM.
    tier: 'process',
    root: claims.ekRootSpkiSha256,
    manifestSha384: null,
    measurement: pcrRegisters(claims.quote.pcrs),
    debug: false,
    tcbStatus: 'none',
    advisoryIds: [],
    claims,
  }
}

/** Checks quotes of TPMs 2.0. */
export const tpmVerifier: EvidenceVerifier<TpmTrustStore, TpmClaims> & { readonly name: 'tpm' } = {
  kind: 'verifier',
  name: tpmPlatform,
  version: 1,
  rules: tpmRules,
  /**
   * Register 4 holds the image that the firmware has started, hashed before it ran; register 11 the parts of a unified
   * kernel image and the phases of its boot. Register 11 alone would say nothing, since anything that was booted can
   * extend it to any value; that the firmware has not lied about register 4 is for the policy's `pcrs` to say.
   * @see TCG PC Client Platform Firmware Profile (PCR usage); systemd, TPM2 PCR Measurements
   */
  identifyingRegisters: [['pcr4', 'pcr11']],
  /** None, whatever it holds; evidence of another platform is refused all the same, since it shows so whose it is. */
  collateralNames({ bytes }) {
    parseTpmEvidence(bytes)
    return [[]]
  },
  async examine({ bytes }, { nowMs, trustStore }) {
    const claims = await verifyTpmEvidence(bytes, { nowMs, trustStore, expectedNonce: 'any' })
    return { reportData: claims.quote.attest.extraData, unbound: verifiedTpm(claims) }
  },
  async verify(evidence, { nowMs, trustStore, expectedReportData }) {
    assertReportDataSize(expectedReportData)
    const expectedNonce = tpmQualifyingData(expectedReportData)
    return verifiedTpm(await verifyTpmEvidence(evidence.bytes, { nowMs, trustStore, expectedNonce }))
  },
}
