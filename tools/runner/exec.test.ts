// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run } from './exec.mjs'

const speak = 'console.log("to out"); console.error("to err")'

describe('run', () => {
  test('captures the output of both streams, and tells the code', async () => {
    const { code, output, timedOut } = await run(process.execPath, ['-e', `${speak}; process.exitCode = 3`])
    expect([code, timedOut]).toEqual([3, false])
    expect(output.split('\n').sort()).toEqual(['', 'to err', 'to out'])
  })

  test('a command that does not exist has code 127', async () => {
    expect((await run('no-such-command', [])).code).toBe(127)
  })

  test('a command that takes too long is killed', async () => {
    const { code, timedOut } = await run(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
      timeoutMs: 300,
    })
    expect([code, timedOut]).toEqual([1, true])
  })

  test.each([
    ['all', 'to out\n', 'to err\n'],
    ['as-errors', '', 'to out\nto err\n'],
  ])('shown %s, it goes to where it says', (show, stdout, stderr) => {
    const url = JSON.stringify(pathToFileURL(`${import.meta.dirname}/exec.mjs`))
    const args = JSON.stringify(['-e', speak])
    const script = `const { run } = await import(${url}); await run(process.execPath, ${args}, { show: '${show}' })`
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(result).toMatchObject({ status: 0, stdout, stderr })
  })
})
