// SPDX-License-Identifier: Apache-2.0
import { encodeCbor } from '@mlcapsule/crypto'
import type { PcrBanks } from '../tpm/verify-quote.ts'

/** Name of the platform, by that of the hardware: `azure-vtpm-sev-snp`, `azure-vtpm-tdx`. */
export const azureVtpmPlatform = (hardware: string): string => `azure-vtpm-${hardware}`

/** What evidence of a confidential VM on Azure holds. */
export interface AzureVtpmEvidence {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  /** The values that the quote covers, and no other. */
  readonly pcrs: PcrBanks
  /** JSON of the paravisor, from the HCL report. */
  readonly runtimeClaims: Uint8Array
  /** As the hardware's own verifier takes it: a SEV-SNP report, or a TD quote. */
  readonly hardware: Uint8Array
}

/** Deterministic CBOR; registers are a map from bank to a map from index to value. */
export function encodeAzureVtpmEvidence({ pcrs, ...parts }: AzureVtpmEvidence): Uint8Array {
  return encodeCbor({ version: 1, ...parts, pcrs: Object.fromEntries(pcrs) })
}
