// SPDX-License-Identifier: Apache-2.0
import { addCommand, type CliContext, type CommandText, type CommonOptions } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'

export interface StoreOptions extends CommonOptions {
  readonly store: string
}

/** A command that works with a store. */
export function addStoreCommand(context: CliContext, parent: Command, text: CommandText): Command {
  const fallback = context.env.MLCAPSULE_PROVIDER_STORE || 'mlcapsule-store'
  return addCommand(parent, text).option('--store <dir>', 'folder of keys and database', fallback)
}
