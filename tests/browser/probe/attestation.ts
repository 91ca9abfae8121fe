// SPDX-License-Identifier: Apache-2.0
import { noCollateral, verifyEvidence } from '@mlcapsule/attestation'
import { skeletonTrustStore, skeletonVerifier } from '@mlcapsule/attestation/skeleton'
import { fromHex } from '@mlcapsule/crypto'
import { codeFrom } from './code.ts'
import type { GivenEvidence } from './given.ts'

const yearMs = 366 * 86_400_000

export interface EvidenceFindings {
  readonly verified: {
    readonly platform: string
    readonly tier: string
    readonly root: string
    readonly measurement: Readonly<Record<string, string>>
  }
  readonly collateralNames: readonly (readonly string[])[]
  readonly codes: Readonly<Record<string, string>>
}

const fromHexes = (files: Readonly<Record<string, string>>) =>
  new Map(Object.entries(files).map(([name, hex]) => [name, fromHex(hex)]))

const offsetOf = (bytes: Uint8Array, text: string): number => String.fromCharCode(...bytes).indexOf(text)

export async function probeEvidence(given: GivenEvidence): Promise<EvidenceFindings> {
  const evidence = (bytes: Uint8Array) => ({ platform: 'skeleton', bytes })
  const bytes = fromHex(given.bytes)
  const input = {
    evidence: evidence(bytes),
    verifiers: [skeletonVerifier],
    trustStores: [skeletonTrustStore([given.root])],
    collateral: fromHexes(given.collateral),
    nowMs: given.nowMs,
    expectedReportData: fromHex(given.reportData),
  }
  const changed = (at: number) => evidence(bytes.with(at, (bytes[at] as number) ^ 1))
  const codeWith = (changes: Partial<Parameters<typeof verifyEvidence>[0]>) =>
    codeFrom(() => verifyEvidence({ ...input, ...changes }))
  const { platform, tier, root, measurement } = await verifyEvidence(input)
  return {
    verified: { platform, tier, root, measurement },
    collateralNames: skeletonVerifier.collateralNames(input.evidence),
    codes: {
      asGiven: await codeWith({}),
      otherReportData: await codeWith({ expectedReportData: new Uint8Array(64) }),
      noReportData: await codeWith({ expectedReportData: new Uint8Array(0) }),
      reportChanged: await codeWith({ evidence: changed(20) }),
      certificateChanged: await codeWith({ evidence: changed(offsetOf(bytes, 'Test Leaf')) }),
      otherRoot: await codeWith({ trustStores: [skeletonTrustStore(['00'.repeat(32)])] }),
      noCollateral: await codeWith({ collateral: noCollateral }),
      revoked: await codeWith({ collateral: fromHexes(given.revokedCollateral) }),
      tooLate: await codeWith({ nowMs: given.nowMs + yearMs }),
      cutShort: await codeWith({ evidence: evidence(bytes.subarray(0, bytes.length - 1)) }),
    },
  }
}
