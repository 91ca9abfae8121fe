// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts the command line as a process of its own, from source. */
export function startCli(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, ['--conditions=@mlcapsule/source', main, ...args], {
    cwd,
    env: { ...process.env, MLCAPSULE_PROVIDER_STORE: '', MLCAPSULE_DEBUG: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs the command line to its end. */
export async function runCli(
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<CliResult> {
  const child = startCli(args, cwd, env)
  const output = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data: Buffer) => {
    output.stdout += data.toString()
  })
  child.stderr?.on('data', (data: Buffer) => {
    output.stderr += data.toString()
  })
  const exitCode = await exited(child)
  return { exitCode, ...output }
}

export const exited = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once('close', (exitCode) => resolve(exitCode)))

export interface ServingCli {
  readonly url: string
  readonly child: ChildProcess
  readonly closed: Promise<number | null>
}

/** Starts `serve` on a free port and waits until it listens. */
export async function startService(storeDir: string, cwd: string): Promise<ServingCli> {
  const child = startCli(['serve', '--port', '0', '--json', '--store', storeDir], cwd)
  const closed = exited(child)
  let errors = ''
  child.stderr?.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  if (child.stdout === null) throw new Error('the service has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string }
    if (event === 'listening') {
      child.stdout.resume()
      return { url, child, closed }
    }
  }
  throw new Error(`the service did not start: ${errors}`)
}
