// SPDX-License-Identifier: Apache-2.0
// npm run tfjs:suite -- [--kernels wasm|native|reference] [--update]
// Prints what passes; ends with 1 if that is not what skipped.json and kernels.json say. --update writes them anew.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import * as tfjs from '@tensorflow/tfjs-core'
import { tfjsKernelNames } from '../../src/tfjs/index.ts'
import { bundleSuite } from './bundle.mjs'
import { isNativeBuilt, runSuite } from './run-suite.mjs'
import { countsOf, kernelsOf, readKernels, readSkipped, skippedOf, writeLists } from './verdicts.mjs'

const { values } = parseArgs({ options: { kernels: { type: 'string' }, update: { type: 'boolean' } } })
const folder = fileURLToPath(new URL('../../.results/', import.meta.url))
const bundle = `${folder}tfjs-suite.mjs`
mkdirSync(folder, { recursive: true })
await bundleSuite(bundle)

const kernels = kernelsOf(tfjs, tfjsKernelNames)
console.log(
  `${kernels.registered.length} kernels, ${kernels.notRegistered.length} of tfjs-core are not registered:`,
)
console.log(kernels.notRegistered.join(' '))
const both = isNativeBuilt ? ['wasm', 'native'] : ['wasm']
for (const name of values.kernels === undefined ? both : [values.kernels]) {
  const verdicts = await runSuite(bundle, name)
  const { passed, failed, pending } = countsOf(verdicts)
  console.log(`${name}: ${verdicts.length} tests, ${passed} passed, ${failed} failed, ${pending} pending`)
  const skipped = skippedOf(verdicts)
  for (const [reason, tests] of Object.entries(skipped)) console.log(`  ${tests.length} ${reason}`)
  if (values.update) writeLists(kernels, skipped)
  if (!isDeepStrictEqual(skipped, readSkipped())) {
    console.error(`${name}: these are not the tests of skipped.json`)
    process.exitCode = 1
  }
}
if (!isDeepStrictEqual(kernels, readKernels())) {
  console.error('these are not the kernels of kernels.json')
  process.exitCode = 1
}
