// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { root } from './environment.mjs'

const captured = ['ignore', 'pipe', 'pipe']
const shown = { all: 'inherit', 'as-errors': ['inherit', process.stderr, process.stderr] }

/**
 * Runs one command.
 * @param {string} file
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, show?: 'all' | 'as-errors', timeoutMs?: number }} [options]
 *   `show`: `all` lets the child write to our output, `as-errors` everything to our standard error; without it the output
 *   is captured and returned. `timeoutMs`: the child is killed after that long
 * @returns `{ code, output, timedOut }`; a child that ended by a signal has code 1
 */
export function run(file, args, { env, cwd = root, show, timeoutMs } = {}) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env, stdio: show === undefined ? captured : shown[show] })
    let output = ''
    let timedOut = false
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true
            child.kill('SIGKILL')
          }, timeoutMs)
    const collect = (chunk) => {
      output += chunk
    }
    child.stdout?.setEncoding('utf8').on('data', collect)
    child.stderr?.setEncoding('utf8').on('data', collect)
    const finish = (code) => {
      clearTimeout(timer)
      resolve({ code, output, timedOut })
    }
    child.on('error', (error) => {
      output += `${file}: ${error.message}\n`
      finish(127)
    })
    child.on('close', (code) => finish(code ?? 1))
  })
}

/** The end of a long log, where the reason usually stands. */
export function tail(output, lineCount = 40) {
  return output.trimEnd().split('\n').slice(-lineCount).join('\n')
}

export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`
}
