// SPDX-License-Identifier: Apache-2.0
import type { IsolationTier } from '@mlcapsule/contracts'
import type { ActiveEnclave } from '@mlcapsule/enclave-bridge'
import type { LicenseClaims } from '@mlcapsule/metering'
import { unverifiedPayload } from './token-payload.ts'

/** What a license allows, and how the enclave holds the model. */
export interface Activation {
  /** Compact JWS of type `mlc-license+jwt`. The enclave has verified it. */
  readonly license: string
  readonly claims: LicenseClaims
  /** Isolation that the provider's appraisal found. `none`: whoever owns this machine could read the model. */
  readonly tier: IsolationTier
  readonly unitsGranted: number
  readonly unitsLeft: number
  readonly expiresAtMs: number
  /** Instruction set of the kernels. */
  readonly isa: string
  readonly memorySizeBytes: number
}

/** The enclave has verified the license's signature and form before it became active. */
export function activationOf(active: ActiveEnclave): Activation {
  const claims = unverifiedPayload(active.license) as unknown as LicenseClaims
  return {
    license: active.license,
    claims,
    tier: claims.tier,
    unitsGranted: claims.grant.units,
    unitsLeft: active.usage.unitsLeft,
    expiresAtMs: claims.exp * 1000,
    isa: active.isa,
    memorySizeBytes: active.memorySizeBytes,
  }
}

/** The order that the challenge in a request names; undefined where it is no request. */
export function orderOfRequest(request: string): string | undefined {
  const { challenge } = unverifiedPayload(request)
  const { order } = typeof challenge === 'string' ? unverifiedPayload(challenge) : {}
  return typeof order === 'string' ? order : undefined
}
