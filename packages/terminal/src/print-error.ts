// SPDX-License-Identifier: Apache-2.0
import { exitCodeFor, isMlCapsuleError } from '@mlcapsule/contracts'
import type { ProgramStreams } from './output.ts'
import { styled } from './style.ts'
import { printable, printableJson } from './text.ts'

export interface PrintErrorOptions {
  /** Print one line of JSON, `{ "error": { code, message, field?, remedy } }`, instead of text. */
  readonly json?: boolean
  /** Also print the stack and the cause. For the author's own machine: they may hold paths. */
  readonly debug?: boolean
}

/** An error that is not one of ours: a defect, or the operating system's refusal. */
const unexpectedCode = 'INTERNAL'
const unexpectedRemedy = 'Run the command again with MLCAPSULE_DEBUG=1 to see where it came from.'

/** Printable, with the lines after the first indented: no message can pass for a line of the program's own. */
const block = (text: string) => text.split('\n').map(printable).join('\n  ')

function describe(error: unknown) {
  if (isMlCapsuleError(error)) return { shown: error.toJSON(), exitCode: exitCodeFor(error.kind) }
  const message = error instanceof Error ? error.message : String(error)
  return {
    shown: { code: unexpectedCode, message, remedy: unexpectedRemedy },
    exitCode: exitCodeFor('internal'),
  }
}

/**
 * Tells the user of an error, on stderr: code and message, then what to do about it. Never a stack, unless asked.
 * @returns the exit code for its kind: usage 2, input 3, refused 4, environment 5, internal or unknown 70
 */
export function printError(
  error: unknown,
  streams: ProgramStreams,
  { json = false, debug = (streams.env.MLCAPSULE_DEBUG ?? '') !== '' }: PrintErrorOptions = {},
): number {
  const { shown, exitCode } = describe(error)
  const { stderr } = streams
  if (json) {
    stderr.write(`${printableJson({ error: shown })}\n`)
  } else {
    const style = styled(stderr, streams.env)
    stderr.write(`${style.red('error')} ${style.bold(shown.code)}: ${block(shown.message)}\n`)
    stderr.write(`${style.dim('what to do:')} ${block(shown.remedy)}\n`)
  }
  if (debug) {
    for (let it = error, depth = 0; it instanceof Error && depth < 8; it = it.cause, depth++) {
      stderr.write(`${depth === 0 ? '' : 'caused by: '}${block(it.stack ?? it.message)}\n`)
    }
  }
  return exitCode
}
