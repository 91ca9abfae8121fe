// SPDX-License-Identifier: Apache-2.0
import { base64UrlOf } from '@mlcapsule/crypto/schema'
import { z } from 'zod'
import { ProviderError, type ProviderErrorCode } from '../errors.ts'

/** 32 bytes: an id, a key, a thumbprint, a hash. */
export const bytes32 = base64UrlOf(32)

/** A compact JWS; what it holds is checked where it is used. */
export const tokenText = z.string().min(1).max(65_536)

/** Validates a value from outside, naming the first field at fault. */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: ProviderErrorCode = 'PROVIDER_REQUEST_INVALID',
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const field = issue?.path.map(String).join('.') || 'body'
  throw new ProviderError(code, `${field}: ${issue?.message ?? 'invalid'}`, { field })
}
