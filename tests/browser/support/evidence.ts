// SPDX-License-Identifier: Apache-2.0
import { makeCrl, makeEvidence, skeletonWorld } from '@mlcapsule/attestation/testing'
import { toHex } from '@mlcapsule/crypto'
import type { GivenEvidence, GivenPlatform } from '../probe/given.ts'

const inHex = (files: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...files].map(([name, bytes]) => [name, toHex(bytes)]))

/** Evidence that a device below a root of its own made just now. */
export async function giveEvidence(): Promise<GivenEvidence> {
  const { authorities, bytes, collateral, context } = await skeletonWorld()
  const { root, middle, leaf } = authorities
  const revoked = await makeCrl(middle, { revokedSerials: [leaf.certificate.serial] })
  return {
    bytes: toHex(bytes),
    reportData: toHex(context.expectedReportData),
    nowMs: context.nowMs,
    root: root.certificate.spkiSha256,
    collateral: inHex(collateral),
    revokedCollateral: inHex(new Map([...collateral, ['skeleton/crl/1', revoked]])),
  }
}

/** Evidence of each vendor's platform, made just now. */
export async function givePlatforms(): Promise<readonly GivenPlatform[]> {
  const made = await makeEvidence()
  return made.map(({ bytes, reportData, collateral, ...rest }) => ({
    ...rest,
    bytes: toHex(bytes),
    reportData: toHex(reportData),
    collateral: inHex(collateral),
  }))
}
