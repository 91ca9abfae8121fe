// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/**
 * Runs a script from the source in a process of its own, so that nothing is left in memory for the next one.
 * @returns what its last line says, as JSON
 * @throws Error where it fails
 */
export async function runChild<Result>(
  path: string,
  args: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<Result> {
  const child = spawn(
    process.execPath,
    ['--conditions=@mlcapsule/source', '--no-warnings', ...nodeFlags, path, ...args],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const [output, errors, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve)),
  ])
  if (code !== 0) throw new Error(`${path} ended with ${code}: ${errors.trim().slice(-2_000)}`)
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Result
}
