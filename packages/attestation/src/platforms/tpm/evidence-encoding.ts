// SPDX-License-Identifier: Apache-2.0
// Apart from the reading of evidence, whose schemas an enclave that attests has no use for.
import { encodeCbor } from '@mlcapsule/crypto'
import type { PcrBanks } from './verify-quote.ts'

/** Name of the platform in evidence, and of its attester and verifier. */
export const tpmPlatform = 'tpm'

/** What evidence of a TPM holds. */
export interface TpmEvidence {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  /** TPMT_PUBLIC of the attestation key. */
  readonly akPublic: Uint8Array
  /** The values that the quote covers, and no other. */
  readonly pcrs: PcrBanks
  /** `mlc-ak+jwt`: who has seen that the key lives in a genuine TPM. */
  readonly akCredential: string
}

/** Deterministic CBOR; registers are a map from bank to a map from index to value. */
export function encodeTpmEvidence({ pcrs, ...parts }: TpmEvidence): Uint8Array {
  return encodeCbor({ version: 1, ...parts, pcrs: Object.fromEntries(pcrs) })
}
