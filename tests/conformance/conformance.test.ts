// SPDX-License-Identifier: Apache-2.0
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KernelBackend } from '@mlcapsule/contracts'
import { nativeKernelsAddonPath } from '@mlcapsule/enclave-bridge/node'
import { nativeKernels } from '@mlcapsule/inference-kernels/native'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { missing, sharedDir } from '../support/shared.ts'
import { readCoverage } from './coverage.ts'
import { judge } from './judge.ts'
import { type JudgedTest, summarize } from './report.ts'
import { type ConformanceTest, readSuite } from './suite.ts'

const skipped = missing('onnx-conformance')
const root = join(sharedDir, 'onnx-conformance')

const hasNative = nativeKernelsAddonPath() !== undefined

async function judgeAll(
  suite: readonly ConformanceTest[],
  backends: readonly KernelBackend[],
  options: Parameters<typeof judge>[2] = {},
) {
  const judged: JudgedTest[] = []
  for (const it of suite) {
    const judgement = await judge(it, backends, options)
    if (judgement !== null) judged.push({ ...it, ...judgement })
  }
  return summarize(judged)
}

const unsupported = [
  'node-v1.19.1/test_range_int32_type_negative_delta_expanded',
  'node/test_loop11',
  'node/test_not_3d',
  'node/test_range_float16_type_positive_delta_expanded',
  'node/test_range_int32_type_negative_delta_expanded',
]

describe.skipIf(skipped !== null)(`ONNX's own tests of operators ${skipped ?? ''}`, () => {
  const suite = skipped === null ? readSuite(root) : []
  // Three networks of hundreds of megabytes take longer than all other tests together; the runner has them too.
  const small = suite.filter((it) => !it.name.startsWith('light/'))

  test('pass on the WASM kernels, but for loops and a form older than any that we take', async () => {
    const { marked, unmarked, tests } = await judgeAll(small, [wasmKernels])
    const short = tests.filter((it) => it.verdict !== 'pass')
    expect(short.filter((it) => it.verdict === 'wrong')).toEqual([])
    expect(short.map((it) => it.name).sort()).toEqual(unsupported)
    expect([marked.pass, unmarked.pass]).toEqual([815, 19])
  }, 120_000)

  const native = skipped === null && hasNative ? test : test.skip
  native(
    `every fourth on the native kernels${hasNative ? '' : ' (skipped: they are not built here)'}`,
    async () => {
      const some = small.filter((_, i) => i % 4 === 0)
      const { marked, unmarked, tests } = await judgeAll(some, [nativeKernels])
      const short = tests.filter((it) => it.verdict !== 'pass').map((it) => it.name)
      expect(short.filter((it) => !unsupported.includes(it))).toEqual([])
      expect(marked.pass + unmarked.pass).toBe(some.length - short.length)
      expect(short.length).toBeLessThanOrEqual(unsupported.length)
    },
    120_000,
  )

  test('say the same where every input but the first is a constant, or that it cannot be done', async () => {
    const { marked, unmarked, tests } = await judgeAll(small, [wasmKernels], { constantInputs: true })
    expect(tests.filter((it) => it.verdict === 'wrong')).toEqual([])
    expect(marked.pass + unmarked.pass).toBeGreaterThanOrEqual(487)
  }, 120_000)

  test('a kernel that computes wrongly is found', async () => {
    const wrong: KernelBackend = {
      ...wasmKernels,
      name: 'wrong',
      create: async (options) => {
        const made = await wasmKernels.create(options)
        const runSteps = made.runSteps.bind(made)
        made.runSteps = (handle, first, count) => {
          runSteps(handle, first, count)
          made.memory.fill(1)
        }
        return made
      },
    }
    const some = small.filter((it) => ['node/test_relu', 'node/test_add'].includes(it.name))
    const { marked } = await judgeAll(some, [wrong])
    expect(marked).toEqual({ pass: 0, unsupported: 0, wrong: 2 })
  })

  test('an output that is stored and that we do not give is found', async () => {
    const relu = small.find((it) => it.name === 'node/test_relu') as ConformanceTest
    const folder = await mkdtemp(join(tmpdir(), 'mlcapsule-conformance-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await cp(relu.folder, folder, { recursive: true })
    const stored = join(folder, 'test_data_set_0')
    await cp(join(stored, 'output_0.pb'), join(stored, 'output_1.pb'))
    expect((await judge({ ...relu, folder }, [wasmKernels]))?.verdict).toBe('wrong')
  })

  test('99 of 100 real models use supported operators alone', () => {
    const { all, missing: lacking } = readCoverage(join(root, 'zoo-op-usage.json'))
    expect(all).toEqual({ modelCount: 807, coveredCount: 806 })
    expect(lacking).toEqual([{ operator: 'Loop', blockedCount: 1 }])
  })
})
