// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { type CompiledModel, compileGraph, importOnnx, type ModelSource } from '../src/index.ts'
import { compareTensors, runCompiled as runOn, type Tolerance } from '../src/testing/index.ts'

/** Runs a compiled model once, by default on the reference kernels. */
export function runCompiled(
  model: CompiledModel,
  inputs: readonly Tensor[],
  kernels: KernelBackend = referenceKernels,
): Promise<readonly Tensor[]> {
  return runOn(model, inputs, kernels)
}

export async function runModel(
  source: ModelSource,
  inputs: readonly Tensor[],
  kernels?: KernelBackend,
): Promise<readonly Tensor[]> {
  return runCompiled(await compileGraph(await importOnnx(source)), inputs, kernels)
}

/** The first element that is off, in words; null if none is. */
export const difference = (actual: Tensor, expected: Tensor, tolerance: Tolerance): string | null =>
  compareTensors(actual, expected, tolerance).problem
