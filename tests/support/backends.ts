// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend } from '@mlcapsule/contracts'
import { nativeKernels } from '@mlcapsule/inference-kernels/native'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { UsageError } from './usage-error.ts'

const all = [nativeKernels, wasmKernels, referenceKernels]

/** Why a backend cannot run here, or null where it can. */
async function unavailable(kernels: KernelBackend): Promise<string | null> {
  try {
    ;(await kernels.create({ memorySizeBytes: 64, maxMemorySizeBytes: 64, threadCount: 1 })).dispose()
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/**
 * The kernel backend of a name, or those of the names given by default that run here.
 * @param onLeftOut is told of a default one that does not run here
 * @throws UsageError for a name that there is not; Error for a named backend that does not run here
 */
export async function chooseBackends(
  name: string | undefined,
  defaults: readonly string[],
  onLeftOut: (line: string) => void,
): Promise<readonly KernelBackend[]> {
  if (name !== undefined && !all.some((it) => it.name === name)) {
    throw new UsageError(`there is no backend ${name}: ${all.map((it) => it.name).join(', ')}`)
  }
  const chosen: KernelBackend[] = []
  for (const kernels of all.filter((it) =>
    name === undefined ? defaults.includes(it.name) : it.name === name,
  )) {
    const reason = await unavailable(kernels)
    if (reason === null) chosen.push(kernels)
    else if (name === undefined) onLeftOut(`backend ${kernels.name} is left out: ${reason}`)
    else throw new Error(reason)
  }
  return chosen
}
