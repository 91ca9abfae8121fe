// SPDX-License-Identifier: Apache-2.0
import {
  equalBytes,
  fromBase64Url,
  type SigningKeyPair,
  sha256,
  signJws,
  toBase64Url,
  toHex,
  utf8Bytes,
} from '@mlcapsule/crypto'
import { MeteringError } from '../errors.ts'
import { parseWith, type SignerKeys, verifySignedBy } from '../schema/parse.ts'
import { type LicenseClaims, licenseSchema } from './claims.ts'

export const licenseTyp = 'mlc-license+jwt'

/** How far clocks may differ. */
export const clockSkewSeconds = 300

export interface License {
  /** Compact JWS of type `mlc-license+jwt`. */
  readonly token: string
  readonly claims: LicenseClaims
  /** SHA-256 of the token: how receipts and statements name it. */
  readonly hash: Uint8Array
  /** Ed25519 key of the enclave that it is for, 32 bytes. */
  readonly identityKey: Uint8Array
}

function licenseOf(token: string, claims: LicenseClaims): License {
  return { token, claims, hash: sha256(utf8Bytes(token)), identityKey: fromBase64Url(claims.cnf.jwk.x) }
}

export interface IssueLicenseInput {
  readonly authority: SigningKeyPair
  /** All claims but `iss`, which is the authority's public key. */
  readonly claims: Omit<LicenseClaims, 'iss'>
}

/** Signs a license. @throws MeteringError `LICENSE_MALFORMED` */
export async function issueLicense({ authority, claims }: IssueLicenseInput): Promise<License> {
  const payload = { iss: toBase64Url(authority.publicKey), ...claims }
  const checked = parseWith(licenseSchema, payload, 'LICENSE_MALFORMED', 'license')
  return licenseOf(await signJws({ typ: licenseTyp, ...authority, payload: checked }), checked)
}

/**
 * Checks signer and form. Time and binding have their own checks, `assertLicenseTime` and `assertLicenseBinding`.
 * @param keys the authority's public keys, or a lookup by thumbprint
 * @throws MeteringError `LICENSE_SIGNER_UNKNOWN`, `LICENSE_MALFORMED`; CryptoError `JWS_*`
 */
export async function verifyLicense(token: string, keys: SignerKeys): Promise<License> {
  const options = { typ: licenseTyp, keys, unknownSigner: 'LICENSE_SIGNER_UNKNOWN' } as const
  const { payload, publicKey } = await verifySignedBy(token, options)
  const claims = parseWith(licenseSchema, payload, 'LICENSE_MALFORMED', 'license')
  if (!equalBytes(publicKey, fromBase64Url(claims.iss))) {
    throw new MeteringError('LICENSE_MALFORMED', 'license.iss is not the key that signed', {
      field: 'license.iss',
    })
  }
  return licenseOf(token, claims)
}

export interface LicenseTime {
  /** The host's clock. It can make the enclave refuse; it is never stored. */
  readonly nowMs: number
  /** A time that is proven to have passed, in seconds; the license's own `iat` counts as one. */
  readonly floorSeconds?: number
}

/** @throws MeteringError `LICENSE_CLOCK_SET_BACK`, `LICENSE_NOT_YET_VALID`, `LICENSE_EXPIRED` */
export function assertLicenseTime(claims: LicenseClaims, time: LicenseTime): void {
  const floor = Math.max(claims.iat, time.floorSeconds ?? 0)
  const now = Math.floor(time.nowMs / 1000)
  const iso = (seconds: number) => new Date(seconds * 1000).toISOString()
  // Written so that a clock that shows no number at all refuses.
  if (!(now + clockSkewSeconds >= floor)) {
    const detail = `the clock says ${now} s since 1970, but ${floor} s have passed`
    throw new MeteringError('LICENSE_CLOCK_SET_BACK', detail, { field: 'clock' })
  }
  if (Math.max(now, floor) + clockSkewSeconds < claims.nbf) {
    throw new MeteringError('LICENSE_NOT_YET_VALID', `the license starts at ${iso(claims.nbf)}`, {
      field: 'license.nbf',
    })
  }
  if (Math.max(now, floor) >= claims.exp) {
    throw new MeteringError('LICENSE_EXPIRED', `the license ended at ${iso(claims.exp)}`, {
      field: 'license.exp',
    })
  }
}

export interface LicenseBinding {
  /** Ed25519 key of this enclave, 32 bytes. */
  readonly identityKey: Uint8Array
  readonly anchorDescriptor: Uint8Array
  /** SHA-384 of this enclave's manifest, 48 bytes. */
  readonly manifestSha384: Uint8Array
  readonly modelId: string
  readonly modelVersion: number
}

/** What an enclave checks before it serves under a license. @throws MeteringError `LICENSE_BINDING_MISMATCH` */
export function assertLicenseBinding(claims: LicenseClaims, expected: LicenseBinding): void {
  const { versions, floors } = claims
  const { modelVersion } = expected
  const checks: readonly (readonly [field: string, fits: boolean])[] = [
    ['cnf', claims.cnf.jwk.x === toBase64Url(expected.identityKey)],
    ['anchor', claims.anchor === toBase64Url(expected.anchorDescriptor)],
    ['manifest', claims.manifest === toHex(expected.manifestSha384)],
    ['model', claims.model === expected.modelId],
    ['versions', versions.min <= modelVersion && modelVersion <= versions.max],
    ['floors.version', modelVersion >= floors.version],
  ]
  for (const [name, fits] of checks) {
    if (fits) continue
    const field = `license.${name}`
    throw new MeteringError('LICENSE_BINDING_MISMATCH', `${field} does not fit this enclave and capsule`, {
      field,
    })
  }
}
