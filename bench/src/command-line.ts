// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises'
import { machineFacts } from './report/tables.ts'

/** What both benchmarks take; `parseArgs` reads it. */
export const commonOptions = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  json: { type: 'string' },
  readme: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** Writes all that was measured, where `--json` names a file. */
export async function writeJson(path: string | undefined, results: unknown): Promise<void> {
  if (path === undefined) return
  await writeFile(path, `${JSON.stringify({ machine: machineFacts(), results }, null, 2)}\n`)
}

/** The user asked for something that there is not. */
export class UsageError extends Error {}

/**
 * The names of a list that `--only` and its like take.
 * @returns all that are known where nothing is given
 * @throws UsageError for another name
 */
export function chosen(text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known
  const names = text.split(',')
  const wrong = names.find((name) => !known.includes(name))
  if (wrong !== undefined) throw new UsageError(`there is no ${wrong}: choose of ${known.join(', ')}`)
  return names
}

/** Runs a command; what it throws becomes a line and an exit code: 2 where it was asked wrongly, else 1. */
export async function endWith(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    console.error(`error: ${(error as Error).message}`)
    const isOfUsage =
      error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true
    process.exitCode = isOfUsage ? 2 : 1
  }
}
