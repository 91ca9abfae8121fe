// SPDX-License-Identifier: Apache-2.0
import { decodeCbor } from '@mlcapsule/crypto'
import * as z from 'zod'
import { AttestationError } from '../../errors.ts'
import { parseWith } from '../../schema/parse.ts'
import { type TpmHashName, tpmHashes, tpmHashNames } from './algorithms.ts'
import { pcrCount } from './attest.ts'
import type { TpmEvidence } from './evidence-encoding.ts'
import type { PcrBanks } from './verify-quote.ts'

/** Three banks of 24 registers have 3,456 bytes, the rest is less. */
const maxSizeBytes = 16_384
const structureMaxSizeBytes = 2048
const credentialMaxSizeBytes = 4096

const structure = z
  .instanceof(Uint8Array)
  .refine((it) => it.length > 0 && it.length <= structureMaxSizeBytes, 'has another size than it may have')

function bankSchema({ sizeBytes }: { readonly sizeBytes: number }) {
  const value = z.instanceof(Uint8Array).refine((it) => it.length === sizeBytes, `has not ${sizeBytes} bytes`)
  return z
    .map(
      z
        .int()
        .min(0)
        .max(pcrCount - 1),
      value,
    )
    .refine((it) => it.size > 0, 'is empty')
}

/** Of the two platforms whose evidence holds a quote. */
export const quotePartsShape = {
  attest: structure,
  signature: structure,
  pcrs: z.partialRecord(z.enum(tpmHashNames), z.unknown()).transform(readBanks),
}

function readBanks(banks: Partial<Record<TpmHashName, unknown>>, context: z.RefinementCtx): PcrBanks {
  const read = new Map<TpmHashName, ReadonlyMap<number, Uint8Array>>()
  for (const [bank, values] of Object.entries(banks) as [TpmHashName, unknown][]) {
    const { data } = bankSchema(tpmHashes[bank]).safeParse(values)
    if (data === undefined) context.addIssue(`${bank} holds something else than values of registers`)
    else read.set(bank, data)
  }
  return read
}

const evidenceSchema = z.strictObject({
  version: z.literal(1),
  ...quotePartsShape,
  akPublic: structure,
  akCredential: z.string().max(credentialMaxSizeBytes),
})

/** @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function parseTpmEvidence(bytes: Uint8Array): TpmEvidence {
  return decodeEvidence(bytes, evidenceSchema, maxSizeBytes)
}

/** Reads a container in deterministic CBOR. @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED` */
export function decodeEvidence<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  limitSizeBytes: number,
): z.output<Schema> {
  let value: unknown
  try {
    value = decodeCbor(bytes, { maxSizeBytes: limitSizeBytes })
  } catch (cause) {
    const options = { field: 'evidence.bytes', cause }
    throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', 'not deterministic CBOR', options)
  }
  return parseWith(schema, value, 'ATTESTATION_EVIDENCE_MALFORMED', 'evidence')
}

/**
 * Refuses values of registers that no quote covers: nobody vouches for them.
 * @throws AttestationError `ATTESTATION_EVIDENCE_MALFORMED`
 */
export function assertOnlyQuoted(given: PcrBanks, quoted: PcrBanks): void {
  if (countOf(given) === countOf(quoted)) return
  const detail = 'the evidence holds values of registers that the quote does not cover'
  throw new AttestationError('ATTESTATION_EVIDENCE_MALFORMED', detail, { field: 'evidence.pcrs' })
}

function countOf(banks: PcrBanks): number {
  return [...banks.values()].reduce((count, { size }) => count + size, 0)
}
