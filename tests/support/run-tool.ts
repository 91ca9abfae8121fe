// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import { UsageError } from './usage-error.ts'

const isUsage = (error: Error) =>
  error instanceof UsageError || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))

/**
 * Runs a tool and sets the exit code: what the tool returns; 2 with its usage for arguments that it cannot use; 1 for
 * anything else, with the reason in a line. `--help` prints the usage instead.
 */
export async function runTool(usage: string, tool: () => Promise<number>): Promise<void> {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`)
    return
  }
  try {
    process.exitCode = await tool()
  } catch (error) {
    const reason = error as Error
    process.stderr.write(`error: ${reason.message}\n${isUsage(reason) ? `\n${usage}\n` : ''}`)
    process.exitCode = isUsage(reason) ? 2 : 1
  }
}

/** Writes a report where it was asked for. */
export function writeJson(path: string | undefined, report: unknown): void {
  if (path !== undefined) writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`)
}
