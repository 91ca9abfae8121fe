// SPDX-License-Identifier: Apache-2.0
import { progressBar } from '@mlcapsule/terminal'
import {
  addCommand,
  type CliContext,
  type CommandText,
  type CommonOptions,
  collect,
  integerOption,
  sizeOption,
} from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { openMlCapsule } from '../node/open.ts'
import { publisherKeys } from '../node/pinned-publishers.ts'
import { defaultStateDir, openStateDir } from '../node/state-dir.ts'
import type { MlCapsule } from '../sdk/ml-capsule.ts'

export interface EnclaveCommandOptions extends CommonOptions {
  readonly enclave?: string
  readonly entry: 'process' | 'worker'
  readonly kernels: 'auto' | 'native' | 'wasm'
  readonly nativeKernels?: string
  readonly threads: number
  readonly budget?: number
  readonly allowModifiedEnclave?: true
}

export interface CapsuleCommandOptions extends EnclaveCommandOptions {
  readonly state: string
  readonly publisher?: readonly string[]
}

/** A command that keeps or uses state. */
export function addStateCommand(context: CliContext, parent: Command, text: CommandText): Command {
  return addCommand(parent, text).option(
    '--state <dir>',
    'private folder of key, sealed state and receipts',
    defaultStateDir(context.env),
  )
}

/** Options about the enclave that is started. */
export function addEnclaveOptions(command: Command): Command {
  return command
    .option('--enclave <dir>', 'folder of the built enclave')
    .addOption(
      new Option('--entry <entry>', 'how it is started').choices(['process', 'worker']).default('process'),
    )
    .addOption(new Option('--kernels <name>', 'kernels').choices(['auto', 'native', 'wasm']).default('auto'))
    .option('--native-kernels <file>', 'file of the native kernels (default: the installed ones)')
    .option('--threads <count>', 'threads per step', integerOption(1, 256), 1)
    .option(
      '--budget <size>',
      'memory for the model, such as 64MiB; weights beyond it are opened anew for each query (default: no limit)',
      sizeOption(2 ** 20, 2 ** 40),
    )
    .option(
      '--allow-modified-enclave',
      'start an enclave whose files are not those of its build, to test refusals',
    )
}

/** The same, for a command that opens a capsule. */
export function addCapsuleCommand(context: CliContext, parent: Command, text: CommandText): Command {
  const command = addStateCommand(context, parent, text).option(
    '--publisher <file|key>',
    "the publisher's public key, received from the provider; repeatable (default: those of `mlcapsule trust`)",
    collect,
  )
  return addEnclaveOptions(command)
}

export function enclaveOptions(options: EnclaveCommandOptions) {
  return {
    entry: options.entry,
    kernels: options.kernels,
    threadCount: options.threads,
    ...(options.budget === undefined ? {} : { memoryBudgetSizeBytes: options.budget }),
    ...(options.enclave === undefined ? {} : { bundleDir: options.enclave }),
    ...(options.nativeKernels === undefined ? {} : { nativeKernelsPath: options.nativeKernels }),
    ...(options.allowModifiedEnclave === true ? { bundleCheck: 'measure' as const } : {}),
  }
}

/**
 * Opens a capsule, lets work be done with it, and closes it whatever happens: an enclave that is only ended loses its
 * open block of paid queries. A request to stop closes it too.
 */
export async function withCapsule<Result>(
  context: CliContext,
  path: string,
  options: CapsuleCommandOptions,
  work: (model: MlCapsule) => Promise<Result>,
): Promise<Result> {
  const state = await openStateDir(options.state)
  const model = await openMlCapsule({
    capsule: path,
    publishers: await publisherKeys(state, options.publisher),
    stateDir: options.state,
    enclave: enclaveOptions(options),
  })
  const forget = context.onStop(() => void model.close().catch(() => undefined))
  try {
    return await work(model)
  } finally {
    await model.close()
    forget()
  }
}

/** A bar on standard error while pages are checked; nothing where that is not a terminal. */
export function verifyProgress(context: CliContext, totalBytes: number) {
  const bar = progressBar({ stream: context.stderr, env: context.env, label: 'checking', total: totalBytes })
  return { onVerify: ({ doneBytes }: { doneBytes: number }) => bar.update(doneBytes), end: () => bar.end() }
}
