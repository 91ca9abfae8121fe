// SPDX-License-Identifier: Apache-2.0
import { type EvidenceFindings, probeEvidence } from './attestation.ts'
import { type CapsuleFindings, probeCapsules, probePacking } from './capsules.ts'
import { type CryptoFindings, probeCrypto } from './crypto.ts'
import { type DefenseFindings, probeDefenses } from './defenses.ts'
import type { Given } from './given.ts'
import { type ModelFindings, probeInference } from './inference.ts'
import { type PlatformFindings, probePlatforms } from './platforms.ts'

export interface Findings {
  readonly crypto: CryptoFindings
  readonly capsules: Readonly<Record<string, CapsuleFindings>>
  readonly packed: { readonly sha256: string; readonly sizeBytes: number }
  readonly models: Readonly<Record<string, ModelFindings>>
  readonly defenses: DefenseFindings
  readonly evidence: EvidenceFindings
  readonly platforms: Readonly<Record<string, PlatformFindings>>
}

/** Puts the packages to work. Runs in Node as in a browser, and gives plain values to compare. */
export async function probe(given: Given): Promise<Findings> {
  return {
    crypto: await probeCrypto(given.crypto),
    capsules: await probeCapsules(given),
    packed: await probePacking(given),
    models: await probeInference(given),
    defenses: await probeDefenses(),
    evidence: await probeEvidence(given.evidence),
    platforms: await probePlatforms(given.platforms),
  }
}
