// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander'
import { ClientError } from '../errors.ts'
import { addActivate } from './commands/activate.ts'
import { addDoctor } from './commands/doctor.ts'
import { addInspect } from './commands/inspect.ts'
import { addKey } from './commands/key.ts'
import { addMeasure } from './commands/measure.ts'
import { addRun } from './commands/run.ts'
import { addStatements } from './commands/statements.ts'
import { addTrust } from './commands/trust.ts'
import { addUsage } from './commands/usage.ts'
import { addVerifyReceipts } from './commands/verify-receipts.ts'
import type { CliContext } from './context.ts'

const commands = [
  addKey,
  addTrust,
  addInspect,
  addActivate,
  addRun,
  addUsage,
  addVerifyReceipts,
  addStatements,
  addMeasure,
  addDoctor,
]

function createProgram(context: CliContext): Command {
  const program = new Command('mlcapsule')
    .description('Runs capsules: models of a provider that answer on this machine, inside an enclave.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // What goes wrong is printed once, with its code, by the caller.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 100, 120),
    })
  for (const add of commands) add(context, program)
  return program
}

/**
 * Runs the command line.
 * @param args without the program's own name
 * @throws whatever the command fails with; ClientError `CLIENT_ARGUMENT_INVALID` for what cannot be understood
 */
export async function runProgram(args: readonly string[], context: CliContext): Promise<void> {
  const program = createProgram(context)
  if (args.length === 0) {
    context.stdout.write(program.helpInformation())
    return
  }
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    const detail =
      error.code === 'commander.help'
        ? 'expected a command after this one'
        : error.message.replace(/^error: /, '')
    throw new ClientError('CLIENT_ARGUMENT_INVALID', detail, { field: 'arguments' })
  }
}
