// SPDX-License-Identifier: Apache-2.0
import * as z from 'zod'
import { AttestationError } from '../../errors.ts'
import { parseWith } from '../../schema/parse.ts'
import type { PublicJwk } from '../tpm/public-key.ts'

/** Name of the vTPM's attestation key. */
const akName = 'HCLAkPub'

/** Azure adds members as it likes; what is not looked at is passed over. */
const claimsSchema = z.object({
  keys: z.array(z.looseObject({ kid: z.string() })).max(16),
  'vm-configuration': z.object({ 'secure-boot': z.boolean() }),
})

const akSchema = z.object({
  kty: z.literal('RSA'),
  key_ops: z.tuple([z.literal('sign')]),
  n: z.string(),
  e: z.string(),
})

export interface RuntimeClaims {
  /** The vTPM's attestation key: the paravisor made it, and signs nothing by it but quotes. */
  readonly ak: PublicJwk
  readonly hasSecureBoot: boolean
}

/**
 * Reads the claims of Azure's paravisor. They count only once the hardware's report is found to bind their hash.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`
 */
export function parseRuntimeClaims(bytes: Uint8Array): RuntimeClaims {
  const read = parseWith(claimsSchema, parseJson(bytes), 'ATTESTATION_EVIDENCE_MALFORMED', 'runtimeClaims')
  const named = read.keys.filter(({ kid }) => kid === akName)
  if (named.length !== 1) throw malformed(`there are ${named.length} keys ${akName}`)
  const { kty, n, e } = parseWith(
    akSchema,
    named[0],
    'ATTESTATION_EVIDENCE_MALFORMED',
    `runtimeClaims.${akName}`,
  )
  return { ak: { kty, n, e }, hasSecureBoot: read['vm-configuration']['secure-boot'] }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw malformed('they are not JSON')
  }
}

function malformed(detail: string): AttestationError {
  const options = { field: 'evidence.runtimeClaims' }
  return new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', `runtime claims: ${detail}`, options)
}
