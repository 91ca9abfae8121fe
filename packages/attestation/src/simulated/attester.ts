// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { cryptoReady, generateSigningKeyPair, type SigningKeyPair, signDetached } from '@mlcapsule/crypto'
import { type EnclaveManifest, manifestDigest } from '../manifest/manifest.ts'
import { assertReportDataSize } from '../report/report-data.ts'
import { encodeBody, encodeQuote, signedBytes, simulatedPlatform } from './layout.ts'

/**
 * Makes a software root: an ordinary key pair on an ordinary machine, which vouches for nothing.
 * @param seed 32 bytes; random when absent
 */
export async function createSimulatedRoot(seed?: Uint8Array): Promise<SigningKeyPair> {
  await cryptoReady()
  return generateSigningKeyPair(seed)
}

export interface SimulatedAttesterOptions {
  readonly root: SigningKeyPair
  /** Says what runs; nothing measures it. */
  readonly manifest: EnclaveManifest
  /** Makes quotes that say so, for tests of refusal. Off by default. */
  readonly debug?: boolean
}

/** Makes evidence of the simulated platform: the manifest's digest and the report data, signed by the software root. */
export function simulatedAttester(
  options: SimulatedAttesterOptions,
): Attester & { readonly name: 'simulated' } {
  const manifestSha384 = manifestDigest(options.manifest)
  return {
    kind: 'attester',
    name: simulatedPlatform,
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      await cryptoReady()
      const bodyBytes = encodeBody({ manifestSha384, reportData, debug: options.debug === true })
      const signature = signDetached(options.root.privateKey, signedBytes(bodyBytes))
      const bytes = encodeQuote({ bodyBytes, root: options.root.publicKey, signature })
      return { platform: simulatedPlatform, bytes }
    },
  }
}
