// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const main = join(root, 'examples', 'demo', 'main.mjs')
const isBuilt = existsSync(join(root, 'enclave-runtime', 'dist', 'manifest.json'))
const minutesMs = 240_000

interface Outcome {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
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
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
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
        'LEDGER_ROLLED_BACK',
        'CAPSULE_SIGNATURE_INVALID',
        'CAPSULE_TREE_MISMATCH',
        'SEAL_OPEN_FAILED',
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

  const shared = process.env.MLCAPSULE_SHARED_DIR ?? join(root, '..', 'shared')
  const squeezeNet = join(shared, 'models', 'squeezenet1.1-fp32')
  const reason = existsSync(squeezeNet) ? '' : ' (skipped: no models in MLCAPSULE_SHARED_DIR)'

  test.skipIf(reason !== '')(
    `answers a photo with a model of one's own as the reference does${reason}`,
    { timeout: minutesMs },
    async () => {
      const { exitCode, stdout, stderr } = await demo(
        ...['--model', join(squeezeNet, 'model.onnx'), '--preprocess', 'caffe-bgr'],
        ...['--input', join(shared, 'datasets', 'photos', 'chelsea.png')],
        ...['--labels', join(shared, 'models', 'imagenet-labels.txt')],
      )
      expect([stderr, exitCode]).toEqual(['', 0])
      const expected = JSON.parse(readFileSync(join(squeezeNet, 'expected.json'), 'utf8'))
      const top: [number, number, string][] = expected.top5['chelsea.png']
      const shown = [...stdout.matchAll(/(\d+\.\d) % +(n\d+ .+)$/gm)]
      expect(shown.map(([, , label]) => label)).toEqual(top.map(([, , label]) => label))
      expect(shown[0]?.[2]).toContain('Egyptian cat')
      shown.forEach(([, percent], place) => {
        expect(Math.abs(Number(percent) / 100 - (top[place]?.[1] ?? 0))).toBeLessThan(1e-3)
      })
    },
  )

  test('stopped in the middle, it says nothing more and leaves nothing', { timeout: minutesMs }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const child = spawn(process.execPath, ['--conditions=@mlcapsule/source', main], {
      env: { ...process.env, TMPDIR: folder, NODE_NO_WARNINGS: '1' },
    })
    let stdout = ''
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
      if (!child.killed && stdout.includes('listening')) child.kill('SIGINT')
    })
    expect(await once(child, 'close')).toEqual([130, null])
    expect(stderr).toBe('')
    expect(readdirSync(folder)).toEqual([])
  })

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
