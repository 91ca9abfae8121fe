// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** File of the native kernels that the installed `@mlcapsule/inference-kernels` has built, or undefined. */
export function nativeKernelsAddonPath(): string | undefined {
  // The package's module and its addon lie in the same folders from the source as from the build.
  const module = import.meta.resolve('@mlcapsule/inference-kernels/native')
  const name = `../../native/build/${process.platform}-${process.arch}/mlcapsule-kernels.node`
  const path = fileURLToPath(new URL(name, module))
  return existsSync(path) ? path : undefined
}
