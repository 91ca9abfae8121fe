// SPDX-License-Identifier: Apache-2.0
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as tfjs from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { tfjsKernelNames } from '../../src/tfjs/index.ts'
import { bundleSuite } from './bundle.mjs'
import { isNativeBuilt, runSuite } from './run-suite.mjs'
import { countsOf, kernelsOf, readKernels, readSkipped, skippedOf } from './verdicts.mjs'

const folder = fileURLToPath(new URL('../../.results/', import.meta.url))
const bundle = `${folder}tfjs-suite.test.mjs`
const suiteTimeoutMs = 100_000

test('kernels.json lists what is registered, and what is not', () => {
  expect(readKernels()).toEqual(kernelsOf(tfjs, tfjsKernelNames))
})

test('a test is only skipped where a kernel is missing, or tfjs-core has disabled it', () => {
  const { notRegistered } = readKernels()
  const reasons = [
    'disabled by tfjs-core itself',
    ...notRegistered.map((name: string) => `needs the kernel ${name}`),
  ]
  expect(Object.keys(readSkipped()).filter((reason) => !reasons.includes(reason))).toEqual([])
})

describe("tfjs-core's own tests", () => {
  beforeAll(async () => {
    mkdirSync(folder, { recursive: true })
    await bundleSuite(bundle)
  }, suiteTimeoutMs)

  async function passOn(kernels: string): Promise<void> {
    const verdicts = await runSuite(bundle, kernels)
    expect(skippedOf(verdicts)).toEqual(readSkipped())
    const skippedCount = Object.values(readSkipped()).flat().length
    expect(countsOf(verdicts).passed).toBe(suiteTestCount - skippedCount)
  }

  test('pass on wasm, but for those in skipped.json', () => passOn('wasm'), suiteTimeoutMs)

  test.skipIf(!isNativeBuilt)(
    'pass on native, but for those in skipped.json (where it is built)',
    () => passOn('native'),
    suiteTimeoutMs,
  )

  test.runIf(process.env.SLOW === '1')(
    'pass on reference, but for those in skipped.json (SLOW=1)',
    () => passOn('reference'),
    suiteTimeoutMs,
  )
})

/** Tests in the suite of tfjs-core 4.22.0: fewer would mean that the bundle has lost some. */
const suiteTestCount = 4230
