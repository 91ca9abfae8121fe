// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError } from 'commander'
import { ProviderError } from '../errors.ts'
import { addActivate } from './commands/activate.ts'
import { addChallenge } from './commands/challenge.ts'
import { addInspect } from './commands/inspect.ts'
import { addKeygen } from './commands/keygen.ts'
import { addLicense } from './commands/license.ts'
import { addPack } from './commands/pack.ts'
import { addPolicy } from './commands/policy.ts'
import { addReceipts } from './commands/receipts.ts'
import { addServe } from './commands/serve.ts'
import { addStatements } from './commands/statements.ts'
import type { CliContext } from './context.ts'

function createProgram(context: CliContext): Command {
  const program = new Command('mlcapsule-provider')
    .description("The provider's side of MLCapsule: pack models, take orders, hand out keys.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // What goes wrong is printed once, with its code, by the caller.
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(context.stdout.columns ?? 100, 120),
    })
  for (const add of [
    addKeygen,
    addPack,
    addInspect,
    addPolicy,
    addLicense,
    addServe,
    addChallenge,
    addActivate,
    addReceipts,
    addStatements,
  ]) {
    add(context, program)
  }
  return program
}

/**
 * Runs the command line.
 * @param args without the program's own name
 * @throws whatever the command fails with; `PROVIDER_OPTION_INVALID` for what cannot be understood
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
    throw new ProviderError('PROVIDER_OPTION_INVALID', detail, { field: 'arguments' })
  }
}
