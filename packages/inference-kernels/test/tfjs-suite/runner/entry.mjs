// SPDX-License-Identifier: Apache-2.0
// What is bundled: the operator tests that tfjs-core carries in its package, against our backend. The order matters.
// Arguments: name of the kernels, file for the verdicts, path of the native addon.
import { writeFileSync } from 'node:fs'
import { jasmine } from './jasmine.mjs'
import '@tensorflow/tfjs-core/dist/register_all_gradients'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops'
import './backend.mjs'
import '@tensorflow/tfjs-core/dist/tests'

const specs = []
jasmine.clearReporters()
jasmine.addReporter({
  specDone({ fullName, status, failedExpectations }) {
    specs.push({ name: fullName, status, faults: failedExpectations.map(({ message }) => message) })
  },
})
await jasmine.execute()
writeFileSync(process.argv[3], JSON.stringify(specs))
