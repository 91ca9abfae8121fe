// SPDX-License-Identifier: Apache-2.0
import { fromHex, jwsMaxSizeBytes, toHex, utf8Bytes } from '@mlcapsule/crypto'
import { hexOf } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { AttestationError } from '../errors.ts'
import { parseWith } from '../schema/parse.ts'
import { leafHash, logMaxCount } from './merkle.ts'
import { type TreeHead, verifyTreeHead } from './tree-head.ts'
import { isExtension, isIncluded } from './verify.ts'

export const proofMaxSizeBytes = 262_144

/** No tree is deeper than 32 levels; a consistency path has at most one more hash. */
const path = z.array(hexOf(32)).max(33)
const token = z.string().min(1).max(jwsMaxSizeBytes)

const proofSchema = z.strictObject({
  version: z.literal(1),
  head: token,
  index: z
    .int()
    .min(0)
    .max(logMaxCount - 1),
  path,
  since: z.union([z.null(), z.strictObject({ head: token, path })]),
})

/** That an entry is in a log, and that the log is one that was seen before with entries added. */
export interface LogProof {
  /** Token of a tree head. */
  readonly head: string
  /** Place of the entry, from 0. */
  readonly index: number
  readonly path: readonly Uint8Array[]
  /** The head that was seen before and what leads from it; null where none is asked about. */
  readonly since: { readonly head: string; readonly path: readonly Uint8Array[] } | null
}

/** A proof as a file: JSON. */
export function encodeLogProof({ head, index, path, since }: LogProof): string {
  const value = {
    version: 1,
    head,
    index,
    path: path.map(toHex),
    since: since === null ? null : { head: since.head, path: since.path.map(toHex) },
  }
  return `${JSON.stringify(value, null, 1)}\n`
}

/** @throws AttestationError `TRANSPARENCY_PROOF_INVALID` */
export function decodeLogProof(bytes: Uint8Array): LogProof {
  if (bytes.length > proofMaxSizeBytes) throw invalid(`a proof has at most ${proofMaxSizeBytes} bytes`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw invalid('a proof is JSON', cause)
  }
  const { head, index, path, since } = parseWith(proofSchema, value, 'TRANSPARENCY_PROOF_INVALID', 'proof')
  return {
    head,
    // JSON can say -0.
    index: Math.abs(index),
    path: path.map(fromHex),
    since: since === null ? null : { head: since.head, path: since.path.map(fromHex) },
  }
}

export interface CheckLogProofInput {
  /** The entry that is to be in the log: the token of a reference value. */
  readonly entry: string
  readonly proof: LogProof
  /** Thumbprints of the keys of the logs that are trusted, received over another way than the proof. */
  readonly logs: readonly string[]
  /** The newest head of this log that was seen here, so that a log cannot show two histories; null where there is none. */
  readonly knownHead: string | null
}

/**
 * Checks that an entry is in a log, and that the log still has all that it had.
 * @returns the head, to be kept as the known one
 * @throws AttestationError `TRANSPARENCY_PROOF_INVALID`, `TRANSPARENCY_HEAD_INVALID`; CryptoError `JWS_*`
 */
export async function checkLogProof({
  entry,
  proof,
  logs,
  knownHead,
}: CheckLogProofInput): Promise<TreeHead> {
  const head = await verifyTreeHead(proof.head, logs)
  if (!isIncluded(leafHash(utf8Bytes(entry)), proof.index, proof.path, head)) {
    throw invalid('the entry is not in the tree of the head')
  }
  if (knownHead === null) return head
  const known = await verifyTreeHead(knownHead, logs)
  if (known.log !== head.log) throw invalid('the head that is known is that of another log')
  const since = proof.since?.head === knownHead ? proof.since.path : []
  if (!isExtension(known, head, since)) {
    throw invalid(
      `the proof does not lead from the head that is known, of ${known.count} entries, to its own`,
    )
  }
  return head
}

function invalid(detail: string, cause?: unknown): AttestationError {
  return new AttestationError('TRANSPARENCY_PROOF_INVALID', detail, { field: 'proof', cause })
}
