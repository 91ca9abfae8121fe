// SPDX-License-Identifier: Apache-2.0
import type { Attester } from '@mlcapsule/contracts'
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { deviceContended, deviceFailed } from '../../../devices/node/device-file.ts'
import { AttestationError } from '../../../errors.ts'
import { tpmQualifyingData } from '../../../report/claims.ts'
import { assertReportData } from '../../../report/report-data.ts'
import { tpmHashes } from '../algorithms.ts'
import { parseAttest, pcrCount, type TpmAttest } from '../attest.ts'
import { encodeTpmEvidence, tpmPlatform } from '../evidence.ts'
import { handleText, readPublic } from './keys.ts'
import { type TpmCommands, type TpmOptions, withTpm } from './tools.ts'

export interface TpmAttesterOptions extends TpmOptions {
  /** Of the attestation key: where `createAttestationKey` has put it. */
  readonly handle: number
  /** Registers of the SHA-256 bank to be shown: those that policy and reference values name. */
  readonly pcrs: readonly number[]
  /** `mlc-ak+jwt`, from the authority that enrolled the key. */
  readonly akCredential: string
}

const attemptMaxCount = 3
const valueSizeBytes = tpmHashes.sha256.sizeBytes

/**
 * Makes evidence of a TPM 2.0 by tpm2-tools. Registers and quote are read one after the other; where something was
 * measured in between, both are read anew, three times at most.
 *
 * `produce` rejects with AttestationError `ATTESTATION_CLAIMS_INVALID`, `ATTESTATION_DEVICE_UNAVAILABLE`,
 * `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`.
 * @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for a handle or registers that there are none of
 */
export function tpmAttester(options: TpmAttesterOptions): Attester & { readonly name: 'tpm' } {
  const handle = handleText(options.handle)
  const pcrs = [...new Set(options.pcrs)].sort((a, b) => a - b)
  if (pcrs.length === 0 || pcrs.some((it) => !Number.isInteger(it) || it < 0 || it >= pcrCount)) {
    const detail = `pcrs: expected registers from 0 to ${pcrCount - 1}`
    throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'pcrs' })
  }
  return {
    kind: 'attester',
    name: tpmPlatform,
    version: 1,
    async produce(reportData) {
      assertReportData(reportData)
      const nonce = tpmQualifyingData(reportData)
      return await withTpm(options, async (commands) => {
        const akPublic = await readPublic(commands, handle)
        const { attest, signature, values } = await quote(commands, handle, pcrs, nonce)
        const bank = new Map(
          pcrs.map((pcr, i) => [pcr, values.slice(i * valueSizeBytes, (i + 1) * valueSizeBytes)]),
        )
        const evidence = { attest, signature, akPublic, pcrs: new Map([['sha256', bank]] as const) }
        const { akCredential } = options
        return { platform: tpmPlatform, bytes: encodeTpmEvidence({ ...evidence, akCredential }) }
      })
    },
  }
}

interface QuoteFiles {
  readonly attest: Uint8Array
  readonly signature: Uint8Array
  /** Of the registers, in their order, one after another. */
  readonly values: Uint8Array
}

async function quote(
  { run, read }: TpmCommands,
  handle: string,
  pcrs: readonly number[],
  nonce: Uint8Array,
): Promise<QuoteFiles> {
  const files = [
    '--message',
    'attest',
    '--signature',
    'signature',
    '--pcr',
    'values',
    '--pcrs_format',
    'values',
  ]
  const asked = ['--pcr-list', `sha256:${pcrs.join(',')}`, '--qualification', toHex(nonce)]
  for (let attempt = 1; attempt <= attemptMaxCount; attempt++) {
    await run('quote', '--key-context', handle, '--hash-algorithm', 'sha256', ...asked, ...files)
    const [attest, signature, values] = [await read('attest'), await read('signature'), await read('values')]
    if (values.length !== pcrs.length * valueSizeBytes)
      deviceFailed('the TPM has no SHA-256 bank of registers')
    const made = readBack(attest)
    if (!equalBytes(made.extraData, nonce)) deviceFailed('the quote binds something else')
    if (equalBytes(made.quote?.pcrDigest ?? nonce, tpmHashes.sha256.digest(values))) {
      return { attest, signature, values }
    }
  }
  throw deviceContended('the TPM', attemptMaxCount)
}

function readBack(attest: Uint8Array): TpmAttest {
  try {
    return parseAttest(attest)
  } catch (cause) {
    return deviceFailed('the TPM made something else than a quote', cause)
  }
}
