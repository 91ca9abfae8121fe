// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

export interface CliResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs `mlcapsule` in a process of its own, from the sources.
 * @param stateDir the state directory, by the environment
 */
export async function runCli(stateDir: string, ...args: readonly string[]): Promise<CliResult> {
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: stateDir,
    MLCAPSULE_STATE: stateDir,
    NODE_NO_WARNINGS: '1',
  }
  const child = spawn(process.execPath, ['--conditions=@mlcapsule/source', main, ...args], { env })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [exitCode] = (await once(child, 'close')) as [number]
  return { exitCode, stdout, stderr }
}
