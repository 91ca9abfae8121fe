// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sampleProgram } from '../../test/sample-program.ts'
import { createCliContext, runProgram } from './index.ts'
import { createStopper } from './stopper.ts'

async function printed(...args: readonly string[]): Promise<string> {
  let output = ''
  const stdout = { columns: 60, write: (text: string) => (output += text) }
  const stderr = { write: () => expect.unreachable() }
  await runProgram(sampleProgram, args, createCliContext({ stdout, stderr, env: {} }))
  return output
}

describe('runProgram', () => {
  test('shows help without arguments, and examples under the name of the program', async () => {
    expect(await printed()).toMatch(/^Usage: sample /)
    expect(await printed('--help')).toMatch(/^Usage: sample /)
    expect(await printed('count', '--help')).toContain(
      'Examples:\n  $ sample count sheep\n  $ sample count --times 3 sheep\n',
    )
    expect(await printed('wait', 'bare', '--help')).toContain('  $ sample wait bare\n')
  })

  test('prints for people or for programs', async () => {
    expect(await printed('count', 'sheep', '--times', '3')).toBe('3 sheep\n')
    expect(JSON.parse(await printed('count', 'sheep', '--tag', 'a', '--tag', 'b', '--json'))).toEqual({
      what: 'sheep',
      times: 1,
      tag: ['a', 'b'],
    })
  })

  test('JSON holds nothing that a terminal would obey, and says the same', async () => {
    const what = '\u009b2J\u202e\u{e0001}\u007f é'
    const output = await printed('count', what, '--json')
    expect(output).toContain('"\\u009b2J\\u202e\\udb40\\udc01\\u007f é"')
    expect(JSON.parse(output)).toMatchObject({ what })
  })

  test.each([
    ['1KiB', 1024],
    ['64MiB', 67_108_864],
    ['1.5 GB', 1_500_000_000],
    ['2000B', 2000],
    ['1.0001KiB', 1024],
  ])('takes %s as a size', async (text, size) => {
    expect(JSON.parse(await printed('count', 'sheep', '--size', text, '--json'))).toMatchObject({ size })
  })

  test.each([
    ['a size without its unit', ['count', 'x', '--size', '64']],
    ['a size with another unit', ['count', 'x', '--size', '64 mib']],
    ['a size out of its range', ['count', 'x', '--size', '1000B']],
    ['an unknown command', ['fly']],
    ['an unknown option', ['count', 'x', '--loud']],
    ['a missing argument', ['count']],
    ['a number out of its range', ['count', 'x', '--times', '10']],
    ['no whole number', ['count', 'x', '--times', '1.0']],
    ['half a command', ['wait']],
  ])('%s is the error of the program', async (_what, args) => {
    await expect(printed(...args)).rejects.toMatchObject({ code: 'SAMPLE_INVALID' })
  })
})

describe('a request to stop', () => {
  function stopper() {
    const exits: number[] = []
    return { exits, ...createStopper((exitCode) => exits.push(exitCode)) }
  }

  test('ends a program with nothing open at once', () => {
    const { exits, request, onStop } = stopper()
    onStop(() => expect.unreachable())()
    request(130)
    expect(exits).toEqual([130])
  })

  test('tells what is open, also what opens later; the second ends it', () => {
    const stop = createStopper((exitCode) => told.push(exitCode))
    const told: (string | number)[] = []
    stop.onStop(() => told.push('first'))
    expect(stop.exitCode).toBeUndefined()
    stop.request(143)
    stop.onStop(() => told.push('late'))
    expect([told, stop.exitCode]).toEqual([['first', 'late'], 143])
    stop.request(130)
    expect(told).toEqual(['first', 'late', 130])
  })
})

const main = fileURLToPath(new URL('../../test/sample-main.ts', import.meta.url))

function start(args: readonly string[], stdout: 'pipe' | number = 'pipe'): ChildProcess {
  const child = spawn(process.execPath, ['--conditions=@mlcapsule/source', main, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { NODE_NO_WARNINGS: '1' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function ended(child: ChildProcess): Promise<readonly [number | null, string]> {
  const [[exitCode], stderr] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stderr as NodeJS.ReadableStream),
  ])
  return [exitCode, stderr]
}

describe.skipIf(process.platform === 'win32')('a process (not on Windows: it has no signals)', () => {
  test('ends with the code of its error', async () => {
    expect(await ended(start(['fly']))).toEqual([2, expect.stringMatching(/^error SAMPLE_INVALID: /)])
    expect(await ended(start(['count', 'sheep']))).toEqual([0, ''])
  })

  test.each([
    ['bare', 'SIGINT', 130, ''],
    ['open', 'SIGTERM', 143, 'closed\n'],
  ] as const)('%s is ended by %s', async (name, signal, exitCode, stderr) => {
    const child = start(['wait', name])
    const outcome = ended(child)
    child.stdout?.once('data', () => child.kill(signal))
    expect(await outcome).toEqual([exitCode, stderr])
  })

  test('a reader that goes away is a request to stop', async () => {
    const child = start(['wait', 'open'])
    const outcome = ended(child)
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect(await outcome).toEqual([0, 'closed\n'])
  })

  test.skipIf(!existsSync('/dev/full'))('a full disk is an error (needs /dev/full)', async () => {
    const [exitCode, stderr] = await ended(start(['count', 'sheep'], openSync('/dev/full', 'w')))
    expect([exitCode, stderr]).toEqual([5, expect.stringContaining('error SAMPLE_UNWRITABLE: ')])
  })
})
