// SPDX-License-Identifier: Apache-2.0

/** Where text goes: `process.stdout` and `process.stderr` fit, and so does an array-backed one in a test. */
export interface OutputStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

export type Environment = Readonly<Record<string, string | undefined>>

/** The two streams of a program and its environment: `process` fits. */
export interface ProgramStreams {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Environment
}

const fallbackColumnCount = 80

/** Columns to lay text out in: those of the terminal, at most 120, and 80 where there is none. */
export function columnCount(stream: OutputStream): number {
  return Math.min(stream.columns ?? fallbackColumnCount, 120)
}
