// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { tpmQualifyingData } from '../../../report/claims.ts'
import { assertReportDataSize } from '../../../report/report-data.ts'
import { encodeTpmEvidence, tpmPlatform } from '../evidence-encoding.ts'
import { handleText, readPublic } from './keys.ts'
import { quotePcrs, sortedPcrs } from './quote.ts'
import { type TpmOptions, withTpm } from './tools.ts'

export interface TpmAttesterOptions extends TpmOptions {
  /** Of the attestation key: where `createAttestationKey` has put it. */
  readonly handle: number
  /** Registers of the SHA-256 bank to be shown: those that policy and reference values name. */
  readonly pcrs: readonly number[]
  /** `mlc-ak+jwt`, from the authority that enrolled the key. */
  readonly akCredential: string
}

/**
 * Makes evidence of a TPM 2.0 by tpm2-tools.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for a handle or registers that there are none of
 */
export function tpmAttester(options: TpmAttesterOptions): Attester & { readonly name: 'tpm' } {
  const handle = handleText(options.handle)
  const pcrs = sortedPcrs(options.pcrs)
  const { akCredential } = options
  return {
    kind: 'attester',
    name: tpmPlatform,
    version: 1,
    async produce(reportData) {
      assertReportDataSize(reportData)
      const nonce = tpmQualifyingData(reportData)
      return await withTpm(options, async (commands) => {
        const akPublic = await readPublic(commands, handle)
        const quoted = await quotePcrs(commands, { handle, pcrs, nonce })
        return { platform: tpmPlatform, bytes: encodeTpmEvidence({ ...quoted, akPublic, akCredential }) }
      })
    },
  }
}
