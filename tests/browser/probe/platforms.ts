// SPDX-License-Identifier: Apache-2.0
import { type EvidenceVerifier, type TrustStore, verifyEvidence } from '@mlcapsule/attestation'
import { nitroTrustStore, nitroVerifier } from '@mlcapsule/attestation/nitro'
import { sevSnpTrustStore, sevSnpVerifier } from '@mlcapsule/attestation/sev-snp'
import { sgxTrustStore, sgxVerifier } from '@mlcapsule/attestation/sgx'
import { tdxTrustStore, tdxVerifier } from '@mlcapsule/attestation/tdx'
import { fromHex } from '@mlcapsule/crypto'
import { codeFrom } from './code.ts'
import type { GivenPlatform } from './given.ts'

export interface PlatformFindings {
  readonly tier: string
  readonly root: string
  /** Under the vendor's own root, and with a bit of the signed part changed. */
  readonly codes: Readonly<Record<'vendorRoot' | 'changed' | 'otherReportData', string>>
}

interface Platform {
  readonly verifier: EvidenceVerifier
  readonly vendor: TrustStore
  /** Trusts one root in place of the vendor's. */
  trusting(root: string): TrustStore
}

const platforms: Readonly<Record<GivenPlatform['platform'], Platform>> = {
  sgx: { verifier: sgxVerifier, vendor: sgxTrustStore(), trusting: (root) => sgxTrustStore([root]) },
  tdx: { verifier: tdxVerifier, vendor: tdxTrustStore(), trusting: (root) => tdxTrustStore([root]) },
  'sev-snp': {
    verifier: sevSnpVerifier,
    vendor: sevSnpTrustStore(),
    trusting: (root) => sevSnpTrustStore({ rootKeys: { Milan: [root], Genoa: [root], Turin: [root] } }),
  },
  nitro: { verifier: nitroVerifier, vendor: nitroTrustStore(), trusting: (root) => nitroTrustStore([root]) },
}

async function probePlatform(given: GivenPlatform): Promise<PlatformFindings> {
  const { verifier, vendor, trusting } = platforms[given.platform]
  const bytes = fromHex(given.bytes)
  const input = {
    evidence: { platform: given.platform, bytes },
    verifiers: [verifier],
    trustStores: [trusting(given.root)],
    collateral: new Map(Object.entries(given.collateral).map(([name, hex]) => [name, fromHex(hex)])),
    nowMs: given.nowMs,
    expectedReportData: fromHex(given.reportData),
  }
  const at = 120
  const changed = { platform: given.platform, bytes: bytes.with(at, (bytes[at] as number) ^ 1) }
  const codeWith = (changes: Partial<Parameters<typeof verifyEvidence>[0]>) =>
    codeFrom(() => verifyEvidence({ ...input, ...changes }))
  const { tier, root } = await verifyEvidence(input)
  return {
    tier,
    root,
    codes: {
      vendorRoot: await codeWith({ trustStores: [vendor] }),
      changed: await codeWith({ evidence: changed }),
      otherReportData: await codeWith({ expectedReportData: new Uint8Array(64) }),
    },
  }
}

/** By platform. */
export async function probePlatforms(
  given: readonly GivenPlatform[],
): Promise<Readonly<Record<string, PlatformFindings>>> {
  const found = await Promise.all(given.map(async (it) => [it.platform, await probePlatform(it)] as const))
  return Object.fromEntries(found)
}
