// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend as KernelMaker } from '@mlcapsule/contracts'
import { getKernel, type KernelFunc, registerBackend, registerKernel } from '@tensorflow/tfjs-core'
import { KernelError } from '../errors.ts'
import { programLimits } from '../program/limits.ts'
import { MlcapsuleBackend } from './backend.ts'
import { tfjsKernels } from './kernels/index.ts'
import { TensorMemory } from './tensor-memory.ts'

/** Name of the backend in tfjs. It has no underscore: tfjs takes what comes before the first one for a backend's name. */
export const backendName = 'mlcapsule'

export interface TfjsBackendOptions {
  /** Makes the kernels that tensors live in and are computed by: `wasmKernels`, `nativeKernels` or `referenceKernels`. */
  readonly kernels: KernelMaker
  /** What the memory starts with, 16 MiB by default; it grows. */
  readonly memorySizeBytes?: number
  /** What it may grow to, as much as addresses reach by default. */
  readonly maxMemorySizeBytes?: number
  /** Threads that one kernel may use, 1 by default. */
  readonly threadCount?: number
  /** Rank among the backends of tfjs, 1 by default: `tf.ready()` takes the highest. */
  readonly priority?: number
}

function conflict(detail: string): KernelError {
  return new KernelError('KERNEL_TFJS_CONFLICT', detail)
}

async function createBackend({
  kernels,
  memorySizeBytes = 16 * 1024 * 1024,
  maxMemorySizeBytes = programLimits.memorySizeBytes,
  threadCount = 1,
}: TfjsBackendOptions): Promise<MlcapsuleBackend> {
  const instance = await kernels.create({ memorySizeBytes, maxMemorySizeBytes, threadCount })
  return new MlcapsuleBackend(new TensorMemory(instance, maxMemorySizeBytes))
}

/** What tfjs calls, by the name of the kernel. */
const kernelFuncs = new Map(
  tfjsKernels.map(({ name, run }): [string, KernelFunc] => [
    name,
    ({ inputs, attrs, backend }) => {
      const ours = backend as MlcapsuleBackend
      const given = Object.values(inputs).filter((input) => input !== undefined && input !== null)
      return ours.runKernel(given, () => run({ inputs, attrs, backend: ours }))
    },
  ]),
)

/** Registers what is missing, then looks whether tfjs would run ours: it only warns where a kernel is already there. */
function registerKernels(): void {
  for (const [name, kernelFunc] of kernelFuncs) {
    if (getKernel(name, backendName) === undefined) {
      registerKernel({ kernelName: name, backendName, kernelFunc })
    }
    if (getKernel(name, backendName)?.kernelFunc !== kernelFunc) {
      throw conflict(`another kernel ${name} is registered for the backend ${backendName}`)
    }
  }
}

/**
 * Makes the backend `mlcapsule` known to tfjs, with all its kernels; `await tf.setBackend('mlcapsule')` chooses it. Kernels
 * are created at once, and again when tfjs has disposed of the backend.
 * @throws KernelError `KERNEL_TFJS_CONFLICT` where tfjs has such a backend, or such a kernel for it, already;
 *   `KERNEL_BACKEND_UNAVAILABLE`, `KERNEL_MEMORY_TOO_LARGE`, `KERNEL_OPTION_INVALID`
 */
export async function registerMlcapsuleBackend(options: TfjsBackendOptions): Promise<void> {
  let first: MlcapsuleBackend | undefined = await createBackend(options)
  const factory = () => {
    const ready = first
    first = undefined
    return ready ?? createBackend(options)
  }
  try {
    registerKernels()
    if (!registerBackend(backendName, factory, options.priority)) {
      throw conflict(
        `tfjs has a backend ${backendName} already; tf.removeBackend('${backendName}') removes it`,
      )
    }
  } catch (error) {
    first.dispose()
    throw error
  }
}
