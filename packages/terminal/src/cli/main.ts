// SPDX-License-Identifier: Apache-2.0
import process from 'node:process'
import { systemCode } from '@mlcapsule/contracts/node'
import { printError } from '../print-error.ts'
import { createCliContext } from './context.ts'
import { type CliProgram, runProgram } from './program.ts'
import { createStopper } from './stopper.ts'

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const

/** Runs a program as this process: its arguments and streams, signals, and the exit code in the end. */
export async function runMain(program: CliProgram): Promise<void> {
  const args = process.argv.slice(2)
  const json = args.includes('--json')
  const stopper = createStopper((exitCode) => process.exit(exitCode))
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    process.on(signal, () => stopper.request(exitCode))
  }
  let hasFailed = false
  process.stdout.on('error', (cause) => {
    if (hasFailed) return
    hasFailed = true
    // A reader that goes away, `head` say, has all that it wants.
    const detail = `standard output cannot be written (${systemCode(cause)})`
    const isGone = systemCode(cause) === 'EPIPE'
    stopper.request(isGone ? 0 : printError(program.unwritable(detail, cause), process, { json }))
  })
  try {
    await runProgram(program, args, createCliContext(process, stopper.onStop))
  } catch (error) {
    // What was cut off by a request to stop is no failure to tell of.
    process.exitCode = stopper.exitCode ?? printError(error, process, { json })
  }
}
