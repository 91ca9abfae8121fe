// SPDX-License-Identifier: Apache-2.0
import { printError } from '@mlcapsule/terminal'
import { createCliContext } from './context.ts'
import { runProgram } from './program.ts'

const stopped = new Promise<void>((resolve) => {
  let asked = 0
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      resolve()
      // Asked twice, or with nothing that waits to be stopped: go at once. Files are whole at any instant.
      if (++asked === 2 || process.argv[2] !== 'serve') process.exit(signal === 'SIGINT' ? 130 : 143)
    })
  }
})

// A reader that goes away, `head` say, ends the output and nothing else.
process.stdout.on('error', () => process.exit(0))

try {
  await runProgram(process.argv.slice(2), createCliContext(process, stopped))
} catch (error) {
  process.exitCode = printError(error, process, { json: process.argv.includes('--json') })
}
