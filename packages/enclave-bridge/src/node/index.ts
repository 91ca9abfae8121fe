// SPDX-License-Identifier: Apache-2.0
export { type AwaitOptions, awaitEnclave } from './await-enclave.ts'
export { type LaunchOptions, type LaunchPlan, launchEnclave, planLaunch } from './launch.ts'
export { nativeKernelsAddonPath } from './native-kernels.ts'
export { fileSha384, type MeasuredBundle, type MeasureOptions, measureBundle } from './node-bundle.ts'
export { loadSharedMemory, type SharedMemoryAddon, sharedMemoryAddonPath } from './shared-memory.ts'
export { socketStream } from './socket-stream.ts'
export { openStateDir, type StateDir } from './state-dir.ts'
