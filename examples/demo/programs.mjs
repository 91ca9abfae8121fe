// SPDX-License-Identifier: Apache-2.0
// Runs the two command-line programs as anyone would, each in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const sourceCondition = '--conditions=@mlcapsule/source'
const apps = fileURLToPath(new URL('../../apps/', import.meta.url))

const folders = {
  'mlcapsule-provider': 'provider-console',
  mlcapsule: 'client-runtime',
}

/** The program as built and installed; from its sources where nothing is built and this runs from sources too. */
function nodeArgs(program) {
  const folder = join(apps, folders[program])
  const isBuilt = existsSync(join(folder, 'dist', 'cli', 'main.js'))
  if (!isBuilt && process.execArgv.includes(sourceCondition)) {
    return [sourceCondition, join(folder, 'src', 'cli', 'main.ts')]
  }
  return [join(folder, 'bin', `${program}.mjs`)]
}

/** An outcome that was not the expected one. */
export class DemoError extends Error {}

/**
 * @param {string} cwd folder in which the programs run
 * @param {NodeJS.ProcessEnv} env
 */
export function createPrograms(cwd, env) {
  const running = new Set()

  function start(program, args) {
    const child = spawn(process.execPath, [...nodeArgs(program), ...args], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    running.add(child)
    const ended = once(child, 'close').finally(() => running.delete(child))
    return { child, ended }
  }

  /** Runs to the end. @returns exit code, and what was written to standard output and error */
  async function run(program, args) {
    const { child, ended } = start(program, args)
    const output = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text))
    const [exitCode] = await ended
    return { exitCode, ...output }
  }

  return {
    /** Expects success. @returns every line of JSON that the program printed */
    async lines(program, ...args) {
      const { exitCode, stdout, stderr } = await run(program, [...args, '--json'])
      if (exitCode !== 0)
        throw new DemoError(`${program} ${args[0]} ended with ${exitCode}: ${stderr.trim()}`)
      return stdout
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    },

    /** Expects success. @returns the JSON that the program printed */
    async json(program, ...args) {
      return (await this.lines(program, ...args))[0]
    },

    /** Expects a refusal with this code. @returns the error as the program printed it */
    async refusal(code, program, ...args) {
      const { exitCode, stderr } = await run(program, [...args, '--json'])
      const error = exitCode === 0 ? undefined : JSON.parse(stderr.trim().split('\n').at(-1) ?? '{}').error
      if (error?.code === code) return error
      const found = exitCode === 0 ? 'success' : (error?.code ?? stderr.trim())
      throw new DemoError(`expected ${code} from ${program} ${args[0]}, got ${found}`)
    },

    /** Starts the provider's service. @returns its address, once it listens */
    async serve(...args) {
      const { child, ended } = start('mlcapsule-provider', ['serve', ...args, '--port', '0', '--json'])
      let errors = ''
      child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
      const listening = (async () => {
        for await (const line of createInterface({ input: child.stdout })) {
          const { event, url } = JSON.parse(line)
          if (event === 'listening') return url
        }
        return undefined
      })()
      const url = await Promise.race([listening, ended.then(() => undefined)])
      if (url === undefined) throw new DemoError(`the service did not start: ${errors.trim()}`)
      child.stdout.resume()
      return {
        url,
        /** Asks it to stop, and waits. */
        async stop() {
          child.kill('SIGTERM')
          const [exitCode] = await ended
          if (exitCode !== 0) throw new DemoError(`the service ended with ${exitCode}: ${errors.trim()}`)
        },
      }
    },

    /** Ends whatever still runs. */
    async endAll() {
      for (const child of running) child.kill('SIGKILL')
      await Promise.all([...running].map((child) => once(child, 'close')))
    },
  }
}
