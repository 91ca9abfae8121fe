// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url } from '@mlcapsule/crypto'
import { z } from 'zod'
import { ProviderError, type ProviderErrorCode } from '../errors.ts'

/** 32 bytes (an id, a key, a thumbprint) as canonical base64url. */
export const bytes32 = z.string().length(43).refine(isBase64Url, 'expected 43 characters of base64url')

/** Bytes as canonical base64url. */
export function base64Url(maxSizeBytes: number) {
  return z
    .string()
    .min(1)
    .max(Math.ceil((maxSizeBytes * 4) / 3))
    .refine(isBase64Url, 'expected base64url')
}

/** A compact JWS; what it holds is checked where it is used. */
export const tokenText = z.string().min(1).max(65_536)

function isBase64Url(text: string): boolean {
  try {
    fromBase64Url(text)
    return true
  } catch {
    return false
  }
}

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
