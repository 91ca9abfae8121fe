// SPDX-License-Identifier: Apache-2.0
import { type ProgramStreams, type Styles, styled } from '@mlcapsule/terminal'
import { type Command, InvalidArgumentError } from 'commander'

/** What a command has to tell: for people, and for programs. */
export interface Report {
  readonly text: string
  readonly json: unknown
}

export interface CliContext extends ProgramStreams {
  readonly style: Styles
  /** Resolves when the user or the system asks the program to stop. */
  readonly stopped: Promise<void>
}

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: true
}

export interface StoreOptions extends CommonOptions {
  readonly store: string
}

export function createCliContext(streams: ProgramStreams, stopped: Promise<void>): CliContext {
  const { stdout, stderr, env } = streams
  return { stdout, stderr, env, style: styled(stdout, env), stopped }
}

/** Prints what a command has to tell, in the form that was asked for. */
export function printReport(context: CliContext, options: CommonOptions, report: Report): void {
  context.stdout.write(options.json === true ? `${JSON.stringify(report.json)}\n` : `${report.text}\n`)
}

interface CommandText {
  readonly name: string
  readonly about: string
  /** Lines of the shell. */
  readonly examples: readonly string[]
}

/** A command with the options that all have. */
export function addCommand(parent: Command, { name, about, examples }: CommandText): Command {
  const lines = examples.map((line) => `  $ mlcapsule-provider ${line}`)
  return parent
    .command(name)
    .description(about)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** The same, for a command that works with a store. */
export function addStoreCommand(context: CliContext, parent: Command, text: CommandText): Command {
  const fallback = context.env.MLCAPSULE_PROVIDER_STORE || 'mlcapsule-store'
  return addCommand(parent, text).option('--store <dir>', 'folder of keys and database', fallback)
}

/** Parser for an option that takes a whole number in a range. */
export function integerOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
  }
}

/** Parser for an option that may be given several times. */
export function collect(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text]
}
