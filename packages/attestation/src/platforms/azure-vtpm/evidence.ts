// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { evidenceMaxSizeBytes } from '../../evidence/evidence-size.ts'
import { decodeEvidence, quotePartsShape } from '../tpm/evidence.ts'
import type { AzureVtpmEvidence } from './evidence-encoding.ts'

const claimsMaxSizeBytes = 8192

const bytesUpTo = (maxSizeBytes: number) =>
  z
    .instanceof(Uint8Array)
    .refine((it) => it.length > 0 && it.length <= maxSizeBytes, 'has another size than it may have')

const evidenceSchema = z.strictObject({
  version: z.literal(1),
  ...quotePartsShape,
  runtimeClaims: bytesUpTo(claimsMaxSizeBytes),
  hardware: bytesUpTo(evidenceMaxSizeBytes),
})

/** @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function parseAzureVtpmEvidence(bytes: Uint8Array): AzureVtpmEvidence {
  return decodeEvidence(bytes, evidenceSchema, evidenceMaxSizeBytes)
}
