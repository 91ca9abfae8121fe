// SPDX-License-Identifier: Apache-2.0
import { defineErrorTable, MlCapsuleError } from '@mlcapsule/contracts'
import {
  addCommand,
  type CliProgram,
  type CommonOptions,
  collect,
  integerOption,
  printReport,
  sizeOption,
} from '../src/cli/index.ts'

const table = defineErrorTable({
  SAMPLE_INVALID: { kind: 'usage', meaning: 'Wrong use.', remedy: 'Read the help.' },
  SAMPLE_UNWRITABLE: { kind: 'environment', meaning: 'No output.', remedy: 'Make room.' },
})

class SampleError extends MlCapsuleError<keyof typeof table> {
  constructor(code: keyof typeof table, detail: string, options?: { readonly cause: unknown }) {
    super(table, code, detail, options)
  }
}

interface CountOptions extends CommonOptions {
  readonly times: number
  readonly tag?: readonly string[]
  readonly size?: number
}

/** A program with a command that prints, one that waits without, and one with something to close. */
export const sampleProgram: CliProgram = {
  name: 'sample',
  about: 'Does little.',
  commands: [
    (context, program) => {
      addCommand(program, {
        name: 'count <what>',
        about: 'count',
        examples: ['count sheep', 'count --times 3 sheep'],
      })
        .option('--times <count>', 'how often', integerOption(1, 9), 1)
        .option('--tag <text>', 'repeatable', collect)
        .option('--size <size>', 'how large', sizeOption(1024, 2 ** 40))
        .action((what: string, options: CountOptions) => {
          const { times, size, tag = [] } = options
          printReport(context, options, { text: `${times} ${what}`, json: { what, times, size, tag } })
        })
    },
    (context, program) => {
      const group = program.command('wait').description('wait for ever')
      addCommand(group, { name: 'bare', about: 'with nothing open', examples: ['wait bare'] }).action(
        async () => {
          context.stdout.write('waiting\n')
          await new Promise((resolve) => setTimeout(resolve, 600_000))
        },
      )
      addCommand(group, { name: 'open', about: 'with something open', examples: ['wait open'] }).action(
        async () => {
          const stopped = new Promise<void>((resolve) => context.onStop(resolve))
          const timer = setInterval(() => context.stdout.write('waiting\n'), 10)
          await stopped
          clearInterval(timer)
          context.stderr.write('closed\n')
          throw new Error('cut off')
        },
      )
    },
  ],
  invalid: (detail) => new SampleError('SAMPLE_INVALID', detail),
  unwritable: (detail, cause) => new SampleError('SAMPLE_UNWRITABLE', detail, { cause }),
}
