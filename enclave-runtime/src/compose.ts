// SPDX-License-Identifier: Apache-2.0
import { createRegistry, type Defense, type RegistryEntry } from '@mlcapsule/contracts'
import { labelOnly, rounding, topK } from '@mlcapsule/defense-plugins'
import { createWasmKernels, wasmKernels } from '@mlcapsule/inference-kernels/wasm'

/**
 * The only list of what can be plugged in inside. It is part of the measurement: a team that wants its own defenses adds
 * them here, builds, and pins what `npm run enclave:measure` then prints.
 */
const registry = createRegistry().use(rounding).use(topK).use(labelOnly).use(wasmKernels).seal()

/** Kind, name and version of every plugin, in order. */
export const plugins: readonly RegistryEntry[] = registry.entries

/** Defenses that a capsule may ask for. */
export const defenses: readonly Defense[] = registry.list(
  'defense',
) as readonly unknown[] as readonly Defense[]

/** Kernels that run anywhere; an entry makes them with its own way to start threads. */
export { createWasmKernels, wasmKernels }
