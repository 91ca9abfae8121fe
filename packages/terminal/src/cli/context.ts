// SPDX-License-Identifier: Apache-2.0
import type { ProgramStreams } from '../output.ts'
import { type Styles, styled } from '../style.ts'
import { printableJson } from '../text.ts'

/** Where a command prints, and how it is told to stop. */
export interface CliContext extends ProgramStreams {
  readonly style: Styles
  /**
   * Asks to be told when the user or the system wants the program to stop; told at once where that was before. While
   * nobody asks, such a request ends the program on the spot.
   * @returns takes the request back: nothing is open any more that would have to be closed
   */
  onStop(handler: () => void): () => void
}

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: true
}

/** What a command has to tell: for people, and for programs. */
export interface Report {
  readonly text: string
  readonly json: unknown
}

export function createCliContext(
  { stdout, stderr, env }: ProgramStreams,
  onStop: CliContext['onStop'] = () => () => undefined,
): CliContext {
  return { stdout, stderr, env, style: styled(stdout, env), onStop }
}

/** Prints what a command has to tell, in the form that was asked for. */
export function printReport(context: CliContext, { json }: CommonOptions, report: Report): void {
  context.stdout.write(json === true ? `${printableJson(report.json)}\n` : `${report.text}\n`)
}
