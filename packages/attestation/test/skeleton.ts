// SPDX-License-Identifier: Apache-2.0
import type { Collateral } from '../src/collateral/collateral.ts'
import { type SkeletonDevice, skeletonAttester, skeletonTrustStore } from '../src/platforms/skeleton/index.ts'
import { type AuthorityChain, chainNowMs, makeCrl, testChain } from './certificates.ts'

export const reportData: Uint8Array = new Uint8Array(64).map((_, i) => i + 1)

export interface SkeletonWorld {
  readonly authorities: AuthorityChain
  readonly device: SkeletonDevice
  /** Lists in which nothing is revoked. */
  readonly collateral: ReadonlyMap<string, Uint8Array>
  /** Of a verification that accepts. */
  readonly context: {
    readonly nowMs: number
    readonly trustStore: ReturnType<typeof skeletonTrustStore>
    readonly collateral: Collateral
    readonly expectedReportData: Uint8Array
  }
  /** Evidence over `reportData`. */
  readonly bytes: Uint8Array
}

/** A device of the skeleton platform below a root of its own, and all that its evidence is verified with. */
export async function skeletonWorld(authorities?: AuthorityChain): Promise<SkeletonWorld> {
  const made = authorities ?? (await testChain())
  const { root, middle, leaf, certificates } = made
  const device: SkeletonDevice = {
    privateKey: leaf.keys.privateKey,
    chain: certificates.map(({ der }) => der),
    state: { debug: false, svn: 7, measurement: new Uint8Array(32).fill(0x11) },
  }
  const collateral = new Map([
    ['skeleton/crl/1', await makeCrl(middle)],
    ['skeleton/crl/2', await makeCrl(root)],
  ])
  const context = {
    nowMs: chainNowMs,
    trustStore: skeletonTrustStore([root.certificate.spkiSha256]),
    collateral,
    expectedReportData: reportData,
  }
  const { bytes } = await skeletonAttester(device).produce(reportData)
  return { authorities: made, device, collateral, context, bytes }
}
