// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const main = join(root, 'examples', 'demo', 'main.mjs')
const isBuilt = existsSync(join(root, 'enclave-runtime', 'dist', 'manifest.json'))
const minutesMs = 240_000

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

describe.skipIf(!isBuilt)('the demonstration (needs a built enclave: npm run build)', () => {
  test.each(['process', 'worker'])(
    'goes all the way with entry %s',
    { timeout: minutesMs },
    async (entry) => {
      const { exitCode, stdout, stderr, left } = await demo('--entry', entry)
      expect(stderr).toBe('')
      expect(exitCode).toBe(0)
      for (const code of [
        'LICENSE_QUOTA_EXHAUSTED',
        'CAPSULE_SIGNATURE_INVALID',
        'CAPSULE_TREE_MISMATCH',
        'BRIDGE_BUNDLE_MISMATCH',
        'ATTESTATION_MEASUREMENT_UNKNOWN',
        'ACTIVATION_REPLAYED',
      ]) {
        expect(stdout).toContain(code)
      }
      expect(stdout).toMatch(/9-b\.png +9 +\d+\.\d %/)
      expect(stdout).toContain('20 of 20 units')
      expect(stdout).not.toContain('\u001b')
      expect(left).toEqual([])
    },
  )

  test('says what failed, ends with 1 and leaves nothing', { timeout: minutesMs }, async () => {
    const { exitCode, stderr, left } = await demo('--model', main, '--input', main)
    expect(stderr).toContain('mlcapsule-provider pack ended with 3')
    expect(exitCode).toBe(1)
    expect(left).toEqual([])
  })
})

describe('wrong use of the demonstration', () => {
  test.each([
    ['an unknown option', ['--loud']],
    ['a model without an input', ['--model', 'model.onnx']],
    ['an input without a model', ['--input', 'photo.jpg']],
    ['another entry', ['--entry', 'cloud']],
  ])('%s ends with 1 and leaves nothing', async (_what, args) => {
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
})
