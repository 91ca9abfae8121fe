// SPDX-License-Identifier: Apache-2.0
import type { Evidence } from '@mlcapsule/contracts'
import { cryptoReady, equalBytes, toHex, verifyDetached } from '@mlcapsule/crypto'
import { AttestationError } from '../errors.ts'
import { type UnboundEvidence, verifyBy } from '../evidence/report-data.ts'
import type { EvidenceVerifier, ExamineContext, TrustStore, VerifiedEvidence } from '../evidence/verifier.ts'
import { parseQuote, type SimulatedBody, signedBytes, simulatedPlatform } from './layout.ts'

/**
 * Software roots. It is a kind of its own: a policy that names no entry in `allowUnattested` refuses it
 * (`POLICY_SIMULATED_ROOT_REFUSED`), and no other platform's verifier can read it.
 */
export interface SimulatedTrustStore extends TrustStore {
  readonly platform: 'simulated'
  readonly rootKind: 'simulated'
  readonly roots: 'any' | readonly Uint8Array[]
}

/** @param roots public keys of software roots, 32 bytes each; `'any'` takes every one, since none proves anything */
export function simulatedTrustStore(roots: 'any' | readonly Uint8Array[]): SimulatedTrustStore {
  return { platform: simulatedPlatform, rootKind: 'simulated', roots }
}

async function examine(
  { bytes }: Evidence,
  { trustStore }: ExamineContext<SimulatedTrustStore>,
): Promise<UnboundEvidence<SimulatedBody>> {
  await cryptoReady()
  const quote = parseQuote(bytes)
  if (trustStore.roots !== 'any' && !trustStore.roots.some((it) => equalBytes(it, quote.root))) {
    const detail = `the simulated root ${toHex(quote.root)} is not in the trust store`
    throw new AttestationError('ATTESTATION_ROOT_UNKNOWN', detail, { field: 'evidence' })
  }
  if (!verifyDetached(quote.root, signedBytes(quote.bodyBytes), quote.signature)) {
    throw new AttestationError('ATTESTATION_SIGNATURE_INVALID', "the root's signature does not verify", {
      field: 'evidence',
    })
  }
  const unbound: VerifiedEvidence<SimulatedBody> = {
    platform: simulatedPlatform,
    rootKind: 'simulated',
    tier: 'none',
    root: toHex(quote.root),
    manifestSha384: quote.body.manifestSha384,
    debug: quote.body.debug,
    tcbStatus: 'none',
    advisoryIds: [],
    measurement: { manifestSha384: toHex(quote.body.manifestSha384) },
    claims: quote.body,
  }
  return { reportData: quote.body.reportData, unbound }
}

/** Checks evidence of the simulated platform. All it can show is tier `none`. */
export const simulatedVerifier: EvidenceVerifier<SimulatedTrustStore, SimulatedBody> & {
  readonly name: 'simulated'
} = {
  kind: 'verifier',
  name: simulatedPlatform,
  version: 1,
  rules: {},
  identifyingRegisters: [],
  collateralNames: () => [[]],
  examine,
  verify: verifyBy(examine),
}
