// SPDX-License-Identifier: Apache-2.0
import { tfjsKernels } from './kernels/index.ts'

export { backendName, registerMlcapsuleBackend, type TfjsBackendOptions } from './register.ts'

/** Names of the kernels that the backend has, as tfjs-core calls them. */
export const tfjsKernelNames: readonly string[] = tfjsKernels.map(({ name }) => name).sort()
