// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander'
import type { CliContext } from './context.ts'

/** A command line: what it is called, what it can do, and in whose words it fails. */
export interface CliProgram {
  readonly name: string
  readonly about: string
  /** In the order in which help lists them. */
  readonly commands: readonly ((context: CliContext, program: Command) => void)[]
  /** The error for arguments that cannot be understood. */
  readonly invalid: (detail: string) => Error
  /** The error for an output that does not take what is printed. */
  readonly unwritable: (detail: string, cause: unknown) => Error
}

function createCommand({ name, about, commands }: CliProgram, context: CliContext): Command {
  const command = new Command(name)
    .description(about)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // What goes wrong is printed once, with its code, by the caller.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 100, 120),
    })
  for (const add of commands) add(context, command)
  return command
}

/**
 * Runs one command.
 * @param args without the program's own name
 * @throws whatever the command fails with, and `invalid` of the program
 */
export async function runProgram(
  program: CliProgram,
  args: readonly string[],
  context: CliContext,
): Promise<void> {
  const command = createCommand(program, context)
  if (args.length === 0) {
    context.stdout.write(command.helpInformation())
    return
  }
  try {
    await command.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    const detail =
      error.code === 'commander.help'
        ? 'expected a command after this one'
        : error.message.replace(/^error: /, '')
    throw program.invalid(detail)
  }
}
