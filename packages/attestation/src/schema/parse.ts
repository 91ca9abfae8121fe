// SPDX-License-Identifier: Apache-2.0
import { describeIssue } from '@mlcapsule/crypto/schema'
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
  const { field, detail } = describeIssue(result.error, what)
  throw new AttestationError(code, detail, { field })
}
