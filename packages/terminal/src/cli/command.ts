// SPDX-License-Identifier: Apache-2.0
import { type Command, InvalidArgumentError } from 'commander'

export interface CommandText {
  /** Name and arguments as commander writes them: `inspect <file>`. */
  readonly name: string
  readonly about: string
  /** Lines of the shell, without the program's name. */
  readonly examples: readonly string[]
}

function programName(command: Command): string {
  return command.parent === null ? command.name() : programName(command.parent)
}

/** A command with the options that all have, and examples in its help. */
export function addCommand(parent: Command, { name, about, examples }: CommandText): Command {
  const lines = examples.map((line) => `  $ ${programName(parent)} ${line}`)
  return parent
    .command(name)
    .description(about)
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
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
