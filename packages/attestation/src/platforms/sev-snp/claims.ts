// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@mlcapsule/crypto'
import type { FirmwareVersion, GuestPolicy, SevSnpReport } from './layout.ts'
import type { EndorsementKeyKind, SevSnpProduct } from './product.ts'
import { decodeTcb, type SevSnpTcb } from './tcb.ts'

/** What a policy can rule about. Byte strings are lower-case hex. */
export interface SevSnpClaims {
  readonly product: SevSnpProduct
  readonly signingKey: EndorsementKeyKind
  readonly version: number
  readonly guestSvn: number
  readonly policy: GuestPolicy
  readonly vmpl: number
  readonly measurement: string
  readonly hostData: string
  readonly idKeyDigest: string
  /** Null where the guest was started without one. */
  readonly authorKeyDigest: string | null
  readonly familyId: string
  readonly imageId: string
  /** Null where the owner of the platform masks it. */
  readonly chipId: string | null
  /** Who leases the key; null for the key of a chip. */
  readonly cspId: string | null
  readonly reportedTcb: SevSnpTcb
  readonly committedTcb: SevSnpTcb
  readonly currentTcb: SevSnpTcb
  readonly launchTcb: SevSnpTcb
  readonly currentVersion: FirmwareVersion
  readonly committedVersion: FirmwareVersion
}

export function claimsOf(report: SevSnpReport, product: SevSnpProduct, cspId: string | null): SevSnpClaims {
  const { version, guestSvn, policy, vmpl, signingKey, currentVersion, committedVersion } = report
  const tcb = (value: bigint) => decodeTcb(value, product)
  return {
    product,
    signingKey,
    version,
    guestSvn,
    policy,
    vmpl,
    measurement: toHex(report.measurement),
    hostData: toHex(report.hostData),
    idKeyDigest: toHex(report.idKeyDigest),
    authorKeyDigest: report.authorKeyEnabled ? toHex(report.authorKeyDigest) : null,
    familyId: toHex(report.familyId),
    imageId: toHex(report.imageId),
    chipId: report.chipId.every((it) => it === 0) ? null : toHex(report.chipId),
    cspId,
    reportedTcb: tcb(report.reportedTcb),
    committedTcb: tcb(report.committedTcb),
    currentTcb: tcb(report.currentTcb),
    launchTcb: tcb(report.launchTcb),
    currentVersion,
    committedVersion,
  }
}
