// SPDX-License-Identifier: Apache-2.0

import { sha256, toHex } from '@mlcapsule/crypto'
import { chainNowMs } from './certificates.ts'
import { madeReportData, makeDcap } from './dcap.ts'
import { nitroChain, nitroDocument, nitroReportData } from './nitro.ts'
import { signSnpReport, snpAuthorities, snpCollateral, snpLeaf, snpReport, snpReportData } from './sev-snp.ts'

/** Evidence under a root of its own, with all that it is verified with. */
export interface MadeEvidence {
  readonly platform: 'sgx' | 'tdx' | 'sev-snp' | 'nitro'
  readonly bytes: Uint8Array
  readonly reportData: Uint8Array
  readonly nowMs: number
  /** As the platform's trust store names roots, lower-case hex. */
  readonly root: string
  readonly collateral: ReadonlyMap<string, Uint8Array>
}

/** One piece of evidence of each vendor's platform, made just now. */
export async function makeEvidence(): Promise<readonly MadeEvidence[]> {
  return [await ofIntel('sgx'), await ofIntel('tdx'), await ofAmd(), await ofAws()]
}

async function ofIntel(platform: 'sgx' | 'tdx'): Promise<MadeEvidence> {
  const { bytes, collateral, root } = await makeDcap(platform)
  const rootKey = root.certificate.spkiSha256
  return { platform, bytes, reportData: madeReportData, nowMs: chainNowMs, root: rootKey, collateral }
}

async function ofAmd(): Promise<MadeEvidence> {
  const authorities = await snpAuthorities('Genoa')
  const leaf = await snpLeaf(authorities)
  return {
    platform: 'sev-snp',
    bytes: await signSnpReport(snpReport(authorities), leaf),
    reportData: snpReportData,
    nowMs: chainNowMs,
    root: authorities.root.certificate.spkiSha256,
    collateral: await snpCollateral(authorities, leaf),
  }
}

async function ofAws(): Promise<MadeEvidence> {
  const chain = await nitroChain()
  return {
    platform: 'nitro',
    bytes: await nitroDocument(chain),
    reportData: nitroReportData,
    nowMs: chainNowMs,
    root: toHex(sha256(chain.root.certificate.der)),
    collateral: new Map(),
  }
}
