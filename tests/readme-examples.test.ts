// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const home = mkdtempSync(join(tmpdir(), 'mlcapsule-readme-'))

/** An example of a package's README, by default the first. */
function exampleOf(name: string, index = 0): string {
  const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8')
  return [...readme.matchAll(/```[jt]s\n([\s\S]*?)```/g)][index]?.[1] ?? ''
}

/** Runs it as someone would who has the packages installed; `after` looks at what it made. */
function run(name: string, after: string, index = 0) {
  return spawnSync(
    process.execPath,
    [
      '--conditions=@mlcapsule/source',
      '--input-type=module-typescript',
      '-e',
      `${exampleOf(name, index)}\n${after}`,
    ],
    { cwd: home, encoding: 'utf8', env: { ...process.env, NODE_NO_WARNINGS: '1', NO_COLOR: '1' } },
  )
}

beforeAll(() => {
  const scope = join(home, 'node_modules', '@mlcapsule')
  mkdirSync(scope, { recursive: true })
  for (const name of readdirSync(join(root, 'packages'))) {
    symlinkSync(join(root, 'packages', name), join(scope, name), 'dir')
  }
  const zod = join(root, 'packages', 'defense-plugins', 'node_modules', 'zod')
  symlinkSync(zod, join(home, 'node_modules', 'zod'), 'dir')
  const tensorflow = join(root, 'packages', 'inference-kernels', 'node_modules', '@tensorflow')
  symlinkSync(tensorflow, join(home, 'node_modules', '@tensorflow'), 'dir')
  copyFileSync(join(root, 'examples', 'digits', 'model', 'digits.onnx'), join(home, 'model.onnx'))
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

// The examples of the other packages are files of their own tests.
describe('the example of the README runs', () => {
  test('contracts', () => {
    const { stdout, stderr, status } = run('contracts', 'console.log(JSON.stringify(registry.entries))')
    expect([stderr, status]).toEqual(['', 0])
    expect(JSON.parse(stdout)).toEqual([
      { kind: 'defense', name: 'calm', version: 1 },
      { kind: 'defense', name: 'strict', version: 1 },
    ])
  })

  test('inference-kernels', () => {
    const { stdout, stderr, status } = run('inference-kernels', '')
    expect([stderr, status]).toEqual(['', 0])
    expect(stdout).toBe('Float32Array(2) [ 5, 10 ]\n')
  })

  test('inference-kernels, with threads', () => {
    const { stdout, stderr, status } = run('inference-kernels', '', 1)
    expect([stderr, status]).toEqual(['', 0])
    expect(stdout).toBe('wasm-relaxed-simd-threads\n')
  })

  test('inference-kernels, under tfjs', () => {
    const { stdout, stderr, status } = run('inference-kernels', '', 2)
    expect([stderr, status]).toEqual(['', 0])
    expect(stdout).toBe('mlcapsule\nFloat32Array(2) [ 5, 10 ]\n')
  })

  test('model-graph', () => {
    const after = 'console.log(JSON.stringify([inputs, outputs, summary.parameterCount, weights.sizeBytes]))'
    const { stdout, stderr, status } = run('model-graph', after)
    expect([stderr, status]).toEqual(['', 0])
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject([
      [{ name: 'image', shape: [1, 1, 28, 28] }],
      [{ name: 'probabilities', shape: [1, 10] }],
      37_610,
      expect.any(Number),
    ])
  })

  test('defense-plugins', () => {
    const after = `
      console.log(JSON.stringify([
        runDefense(rounding, { decimals: 1 }, { inputs: [], outputs: [answer] }),
        runDefense(cap, { highest: 0.5 }, { inputs: [], outputs: [answer] }),
      ], (_, it) => ArrayBuffer.isView(it) ? [...it] : it))`
    const { stdout, stderr, status } = run('defense-plugins', after)
    expect([stderr, status]).toEqual(['', 0])
    const [rounded, capped] = JSON.parse(stdout)
    expect(rounded.outputs[0].data).toEqual([0, 1, 0])
    expect(capped.outputs[0].data[1]).toBe(0.5)
  })

  test('terminal', () => {
    const { stdout, stderr, status } = run('terminal', '')
    expect(status).toBe(70)
    expect(stdout).toContain('4.73 MiB')
    expect(stdout).toMatch(/defense +version\nrounding +1\n/)
    expect(stderr).toMatch(/^error /)
  })
})
