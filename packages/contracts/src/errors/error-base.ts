// SPDX-License-Identifier: Apache-2.0
import type { ErrorKind, ErrorTable } from './error-table.ts'

/** Of all copies of this class: a program may be bundled in several files, each with its own. */
const brand: unique symbol = Symbol.for('mlcapsule.error') as never

export interface MlCapsuleErrorOptions {
  /** Path of the argument, field or file at fault, e.g. `header.pageSizeBytes`. Never a secret, never user data. */
  readonly field?: string
  /** The error that led here. Kept for debuggers on this side; it is never serialized. */
  readonly cause?: unknown
}

/** What an error shows to another process or to a log. */
export interface SerializedError {
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly remedy: string
}

/**
 * Base of every error that MLCapsule throws on purpose. Programs switch over `code`; people read `message` and `remedy`.
 * Messages name what was expected and what was found, and never hold a secret or a stack.
 */
export abstract class MlCapsuleError<Code extends string = string> extends Error {
  readonly code: Code
  readonly kind: ErrorKind
  readonly field: string | undefined
  readonly remedy: string
  readonly [brand] = true

  protected constructor(table: ErrorTable, code: Code, detail: string, options: MlCapsuleErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause })
    const info = table[code]
    if (info === undefined) throw new TypeError(`error code ${code} is not in its table`)
    this.name = new.target.name
    this.code = code
    this.kind = info.kind
    this.field = options.field
    this.remedy = info.remedy
  }

  toJSON(): SerializedError {
    return {
      code: this.code,
      message: this.message,
      ...(this.field === undefined ? {} : { field: this.field }),
      remedy: this.remedy,
    }
  }
}

/** Whether a caught value is one of ours, so that `code` may be read. */
export function isMlCapsuleError(value: unknown): value is MlCapsuleError {
  return value instanceof Error && brand in value
}
