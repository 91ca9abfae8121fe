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

const unitsBytes: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

/** Parser for an option that takes a size with its unit, such as `64MiB` or `1.5GB`. @returns whole bytes */
export function sizeOption(minBytes: number, maxBytes: number): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)\s?([kKMG]?i?B)$/.exec(text) ?? []
    const value = Math.floor(Number(digits) * (unitsBytes[unit] ?? Number.NaN))
    if (value >= minBytes && value <= maxBytes) return value
    const units = Object.keys(unitsBytes).join(', ')
    throw new InvalidArgumentError(
      `Expected a size from ${minBytes} to ${maxBytes} bytes, with its unit: ${units}.`,
    )
  }
}

/** Parser for an option that may be given several times. */
export function collect(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text]
}
