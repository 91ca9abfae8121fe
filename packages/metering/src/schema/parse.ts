// SPDX-License-Identifier: Apache-2.0
import { CryptoError, type VerifiedJws, verifyJws } from '@mlcapsule/crypto'
import { describeIssue } from '@mlcapsule/crypto/schema'
import type { z } from 'zod'
import { MeteringError, type MeteringErrorCode } from '../errors.ts'

/** Validates a value from outside. @throws MeteringError `code`, naming the first field at fault */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: MeteringErrorCode,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { field, detail } = describeIssue(result.error, what)
  throw new MeteringError(code, detail, { field })
}

/** Public keys that may sign, or a lookup by thumbprint. */
export type SignerKeys = readonly Uint8Array[] | ((kid: string) => Uint8Array | undefined)

interface SignedByOptions {
  readonly typ: string
  readonly keys: SignerKeys
  /** Thrown in place of `JWS_KEY_UNKNOWN`, which does not say whose signature is missing. */
  readonly unknownSigner: MeteringErrorCode
}

/** `verifyJws` with a code that says whose signature is missing. */
export async function verifySignedBy(token: string, options: SignedByOptions): Promise<VerifiedJws> {
  try {
    return await verifyJws(token, { typ: options.typ, keys: options.keys })
  } catch (cause) {
    if (!(cause instanceof CryptoError) || cause.code !== 'JWS_KEY_UNKNOWN') throw cause
    throw new MeteringError(options.unknownSigner, 'the token is signed by another key', {
      field: 'token',
      cause,
    })
  }
}
