// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bashFunctions } from './support/programs.ts'

const root = join(import.meta.dirname, '..')
const example = join(root, 'examples', 'gpt')
const isBuilt = existsSync(join(root, 'enclave-runtime', 'dist', 'manifest.json'))
const timeout = 120_000
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-gpt-readme-'))
const env = { ...process.env, MLCAPSULE_STATE: join(home, 'state'), NODE_NO_WARNINGS: '1', NO_COLOR: '1' }

interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** Runs commands as they stand; the first that fails ends them. */
async function bash(commands: string): Promise<Ended> {
  const options = { cwd: home, env }
  try {
    return {
      ...(await promisify(execFile)('bash', ['-euc', `${bashFunctions}\n${commands}`], options)),
      code: 0,
    }
  } catch (error) {
    return error as Ended
  }
}

describe.skipIf(!isBuilt)('the README of examples/gpt (needs a built enclave: npm run build)', () => {
  const readme = readFileSync(join(example, 'README.md'), 'utf8')
  const commands = /```sh\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''

  beforeAll(() => cpSync(join(example, 'model'), join(home, 'model'), { recursive: true }))
  afterAll(() => rmSync(home, { recursive: true, force: true }))

  test('works as it stands: 60 characters for 60 units, said before', { timeout }, async () => {
    const { stdout, stderr, code } = await bash(commands)
    expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
    expect(stdout).toContain('past_key_values.1.value = present.1.value')
    expect(stderr).toContain('60 tokens at 1 each: at most 60 units of the 100 left')
    expect(stderr).toContain('40 units left')
    const shown = /```\n```\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    expect(shown.length).toBe(61)
    expect(stdout.endsWith(shown)).toBe(true)
  })

  test('a text is repeatable, and one that the units do not pay is kept as far as it goes', {
    timeout,
  }, async () => {
    const generate = (prompt: string, count: number, ...more: string[]) =>
      bash(`mlcapsule generate gpt.capsule --prompt '${prompt}' --tokens ${count} --json ${more.join(' ')}`)
    const textOf = ({ stdout }: Ended) =>
      stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { text: string }).text)
        .join('')
    const draw = ['--temperature', '0.8', '--seed', '3']
    const [first, second] = [await generate('the ', 10, ...draw), await generate('the ', 10, ...draw)]
    expect([...textOf(first)]).toHaveLength(10)
    expect(textOf(second)).toBe(textOf(first))
    const wrong = await generate('THE', 5)
    expect([wrong.code, wrong.stdout, wrong.stderr]).toEqual([
      3,
      '',
      expect.stringContaining('CLIENT_PROMPT_INVALID'),
    ])
    const poor = await generate('a ', 50)
    expect([...textOf(poor)]).toHaveLength(20)
    expect([poor.code, poor.stderr]).toEqual([4, expect.stringContaining('LICENSE_QUOTA_EXHAUSTED')])
  })
})
