// SPDX-License-Identifier: Apache-2.0

/**
 * What sort of trouble a code stands for. It decides the exit code of the command-line tools:
 * `usage` 2, `input` 3, `refused` 4, `environment` 5, `internal` 70.
 */
export type ErrorKind = 'usage' | 'input' | 'refused' | 'environment' | 'internal'

/** One row of an error table: what the code means, and what the reader of the message should do. */
export interface ErrorInfo {
  readonly kind: ErrorKind
  /** One sentence: what was found to be wrong. */
  readonly meaning: string
  /** One sentence: what to do about it. */
  readonly remedy: string
}

/** Codes of one package. The codes are stable: a released code is never given another meaning. */
export type ErrorTable = Readonly<Record<string, ErrorInfo>>

const codePattern = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/

/**
 * Fixes the type of an error table, so that its keys form a closed union of codes.
 * @throws TypeError for a code that is not UPPER_SNAKE_CASE: a mistake of the package's author, found at import
 */
export function defineErrorTable<const Table extends ErrorTable>(table: Table): Table {
  for (const code of Object.keys(table)) {
    if (!codePattern.test(code)) throw new TypeError(`error code ${code} is not UPPER_SNAKE_CASE`)
  }
  return Object.freeze(table)
}

const exitCodes: Readonly<Record<ErrorKind, number>> = {
  usage: 2,
  input: 3,
  refused: 4,
  environment: 5,
  internal: 70,
}

/** Exit code of a command-line tool that fails with an error of this kind. */
export function exitCodeFor(kind: ErrorKind): number {
  return exitCodes[kind]
}
