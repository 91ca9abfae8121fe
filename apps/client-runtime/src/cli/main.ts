// SPDX-License-Identifier: Apache-2.0
import { printError } from '@mlcapsule/terminal'
import { createCliContext } from './context.ts'
import { runProgram } from './program.ts'

let exitCodeOfSignal: number | undefined
const stopped = new Promise<void>((resolve) => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      // Asked once: what is open is closed without loss. Asked twice: go, whatever it costs.
      if (exitCodeOfSignal !== undefined) process.exit(exitCode)
      exitCodeOfSignal = exitCode
      resolve()
    })
  }
})

// A reader that goes away, `head` say, ends the output and nothing else.
process.stdout.on('error', () => undefined)

try {
  await runProgram(process.argv.slice(2), createCliContext(process, stopped))
} catch (error) {
  if (exitCodeOfSignal === undefined) {
    process.exitCode = printError(error, process, { json: process.argv.includes('--json') })
  }
}
process.exitCode = exitCodeOfSignal ?? process.exitCode
