// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod'
import { AttestationError, type AttestationErrorCode } from '../errors.ts'

/** Validates a value from outside. @throws AttestationError `code`, naming the first field at fault */
export function parseWith<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  code: AttestationErrorCode,
  what: string,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const path = [what, ...(issue?.path.map(String) ?? [])].join('.')
  throw new AttestationError(code, `${path}: ${issue?.message ?? 'is invalid'}`, { field: path })
}
