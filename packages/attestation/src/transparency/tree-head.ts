// SPDX-License-Identifier: Apache-2.0
import { fromHex, keyThumbprint, type SigningKeyPair, signJws, toBase64Url, toHex } from '@mlcapsule/crypto'
import { base64UrlOf, hexOf, numericDate } from '@mlcapsule/crypto/schema'
import * as z from 'zod'
import { authorityKeys, verifySignedBy } from '../activation/signer.ts'
import { parseWith } from '../schema/parse.ts'
import { logMaxCount } from './merkle.ts'
import type { Tree } from './verify.ts'

export const treeHeadTyp = 'mlc-log-head+jwt'

const headSchema = z.strictObject({
  iss: base64UrlOf(32),
  version: z.literal(1),
  count: z.int().min(1).max(logMaxCount),
  root: hexOf(32),
  iat: numericDate,
})

/** A log's word for what all its entries are, at one time. */
export interface TreeHead extends Tree {
  /** Thumbprint of the log's key. */
  readonly log: string
  readonly signedAtMs: number
  readonly token: string
}

/**
 * @param log the log's own key, which signs nothing else
 * @returns compact JWS of type `mlc-log-head+jwt`
 * @throws AttestationError `TRANSPARENCY_HEAD_INVALID`
 * @see spec/evidence.md §11
 */
export async function signTreeHead(
  log: SigningKeyPair,
  { count, root }: Tree,
  nowMs: number,
): Promise<string> {
  const payload = {
    iss: toBase64Url(log.publicKey),
    version: 1,
    count,
    root: toHex(root),
    iat: Math.floor(nowMs / 1000),
  }
  const checked = parseWith(headSchema, payload, 'TRANSPARENCY_HEAD_INVALID', 'head')
  return await signJws({ typ: treeHeadTyp, ...log, payload: checked })
}

/**
 * @param logs thumbprints of the keys of the logs that are trusted
 * @throws AttestationError `TRANSPARENCY_HEAD_INVALID`; CryptoError `JWS_*`
 */
export async function verifyTreeHead(token: string, logs: readonly string[]): Promise<TreeHead> {
  const verified = await verifySignedBy(token, {
    typ: treeHeadTyp,
    keys: authorityKeys(token, logs),
    unknownSigner: 'TRANSPARENCY_HEAD_INVALID',
    who: 'a log that is trusted here',
  })
  const { count, root, iat } = parseWith(headSchema, verified.payload, 'TRANSPARENCY_HEAD_INVALID', 'head')
  const log = keyThumbprint(verified.publicKey)
  return { count, root: fromHex(root), log, signedAtMs: iat * 1000, token }
}
