// SPDX-License-Identifier: Apache-2.0
import { equalBytes, toHex } from '@mlcapsule/crypto'
import { deviceContended, deviceFailed } from '../../../devices/node/device-file.ts'
import { AttestationError } from '../../../errors.ts'
import { tpmHashes } from '../algorithms.ts'
import { parseAttest, pcrCount, type TpmAttest } from '../attest.ts'
import type { PcrBanks } from '../verify-quote.ts'
import type { TpmCommands } from './tools.ts'

export interface QuoteRequest {
  /** Of the attestation key, as text. */
  readonly handle: string
  /** Registers of the SHA-256 bank, ascending. */
  readonly pcrs: readonly number[]
  readonly nonce: Uint8Array
}

export interface QuoteParts {
  /** TPMS_ATTEST. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE. */
  readonly signature: Uint8Array
  readonly pcrs: PcrBanks
}

const attemptMaxCount = 3
const valueSizeBytes = tpmHashes.sha256.sizeBytes

/** Ascending, each once. @throws AttestationError `ATTESTATION_CLAIMS_INVALID` for registers that there are none of */
export function sortedPcrs(asked: readonly number[]): readonly number[] {
  const pcrs = [...new Set(asked)].sort((a, b) => a - b)
  const areThere = pcrs.every((it) => Number.isInteger(it) && it >= 0 && it < pcrCount)
  if (pcrs.length > 0 && areThere) return pcrs
  const detail = `pcrs: expected registers from 0 to ${pcrCount - 1}`
  throw new AttestationError('ATTESTATION_CLAIMS_INVALID', detail, { field: 'pcrs' })
}

/**
 * Quotes registers, and reads their values. The tools do one after the other: where something was measured in between, both
 * are done again, three times at most.
 * @throws AttestationError `ATTESTATION_DEVICE_FAILED`, `ATTESTATION_DEVICE_CONTENDED`
 */
export async function quotePcrs({ run, read }: TpmCommands, request: QuoteRequest): Promise<QuoteParts> {
  const { handle, pcrs, nonce } = request
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
    if (!equalBytes(made.quote?.pcrDigest ?? nonce, tpmHashes.sha256.digest(values))) continue
    const bank = new Map(
      pcrs.map((pcr, i) => [pcr, values.slice(i * valueSizeBytes, (i + 1) * valueSizeBytes)]),
    )
    return { attest, signature, pcrs: new Map([['sha256', bank]]) }
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
