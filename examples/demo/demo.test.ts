// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('./main.mjs', import.meta.url))

interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** What it left in its temporary folder. */
  readonly left: readonly string[]
}

/** Runs the demonstration from the sources, with a temporary folder of its own. */
async function demo(...args: readonly string[]): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const env = { ...process.env, TMPDIR: folder, NODE_NO_WARNINGS: '1' }
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@mlcapsule/source', main, ...args],
      { env },
      (error, stdout, stderr) => {
        const exitCode = typeof error?.code === 'number' ? error.code : 0
        resolve({ exitCode, stdout, stderr, left: readdirSync(folder) })
      },
    )
  })
}

test.each([
  ['an unknown option', ['--loud']],
  ['a model without an input', ['--model', 'model.onnx']],
  ['an input without a model', ['--input', 'photo.jpg']],
  ['another entry', ['--entry', 'cloud']],
])('%s is a wrong use', async (_what, args) => {
  const { exitCode, stderr, left } = await demo(...args)
  expect(stderr).toMatch(/^\ndemo: /)
  expect(exitCode).toBe(1)
  expect(left).toEqual([])
})

test('help says how to show your own model', async () => {
  const { exitCode, stdout } = await demo('--help')
  expect(stdout).toContain('--model FILE.onnx')
  expect(exitCode).toBe(0)
})
