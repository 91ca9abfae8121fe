// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ask } from './readme-example.ts'
import { answerRequest, challengeFor, createWorld, expectedAnswer, queryOf } from './world.ts'

const root = join(import.meta.dirname, '..', '..')
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-readme-'))
const bundleDir = join(home, 'enclave')

beforeAll(() => {
  const script = join(root, 'enclave-runtime/build/build.mjs')
  execFileSync(process.execPath, ['--conditions=@mlcapsule/source', script, bundleDir], { stdio: 'pipe' })
}, 60_000)
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('the example in the README is this file, and runs', async () => {
  const example = readFileSync(join(import.meta.dirname, 'readme-example.ts'), 'utf8').replace(/^.*\n/, '')
  const readme = readFileSync(join(root, 'packages/enclave-bridge/README.md'), 'utf8')
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(example)

  const world = await createWorld()
  const capsulePath = join(home, 'model.capsule')
  writeFileSync(capsulePath, world.bytes)
  const challenge = await challengeFor(world)
  const lines: string[] = []
  const setup = {
    capsulePath,
    publisher: world.publisher.publicKey,
    customer: world.customer,
    provider: {
      challenge: () => Promise.resolve(challenge.token),
      activate: (request: string) => answerRequest(world, challenge, request),
    },
    bundleDir,
    stateDir: join(home, 'state'),
    keepLine: (line: string) => {
      lines.push(line)
      return Promise.resolve()
    },
  }
  const { outputs, verdict } = await ask(setup, queryOf(1))
  expect(verdict).toBe('pass')
  for (const [at, value] of expectedAnswer(queryOf(1)).entries()) {
    expect(Number(outputs.get('y')?.data[at])).toBeCloseTo(value, 5)
  }
  expect(lines.map((it) => Object.keys(JSON.parse(it)))).toEqual([['receipt'], ['closing']])
})
