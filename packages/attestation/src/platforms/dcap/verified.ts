// SPDX-License-Identifier: Apache-2.0
import type { VerifiedEvidence } from '../../evidence/verifier.ts'
import type { DcapClaims } from './claims.ts'
import type { Tee } from './quote.ts'
import type { GenuineQuote } from './verify-quote.ts'

/** A genuine quote in the form that all platforms have in common. */
export function verifiedEvidence<Claims extends DcapClaims>(
  tee: Tee,
  { pck, newestSignedAtMs }: GenuineQuote<Tee>,
  shown: Pick<VerifiedEvidence<Claims>, 'claims' | 'measurement' | 'debug'>,
): VerifiedEvidence<Claims> {
  const { status, advisoryIds } = shown.claims.tcb
  return {
    platform: tee,
    rootKind: 'hardware',
    tier: tee,
    root: pck.root.spkiSha256,
    manifestSha384: null,
    tcbStatus: status,
    advisoryIds,
    newestSignedAtMs,
    ...shown,
  }
}
