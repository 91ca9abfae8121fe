// SPDX-License-Identifier: Apache-2.0
// Comes before the suite: its files ask for the backends to test while they load.
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util'
import { createNativeKernels } from '../../../src/native/index.ts'
import { referenceKernels } from '../../../src/reference/index.ts'
import { backendName, registerMlcapsuleBackend } from '../../../src/tfjs/index.ts'
import { wasmKernels } from '../../../src/wasm/index.ts'

const [, , name, , addonPath] = process.argv
const makers = { wasm: wasmKernels, native: createNativeKernels({ addonPath }), reference: referenceKernels }

// The suite disposes of the backend and makes it anew hundreds of times: each gets little memory, which grows.
await registerMlcapsuleBackend({
  kernels: makers[name],
  memorySizeBytes: 65_536,
  maxMemorySizeBytes: 2 ** 29,
})
setTestEnvs([{ name: backendName, backendName, isDataSync: true }])
