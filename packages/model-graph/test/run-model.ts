// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { createSession, type WeightSource } from '@mlcapsule/inference-kernels'
import { convertElements } from '@mlcapsule/inference-kernels/program'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import {
  type CompiledModel,
  compileGraph,
  decodeTensorProto,
  importOnnx,
  type ModelSource,
} from '../src/index.ts'

/** Packed weights, handed to the engine as they are packed: they are never in memory twice. */
function weightSource({ weights }: CompiledModel): WeightSource {
  const chunks = weights.chunks()[Symbol.asyncIterator]()
  return {
    sizeBytes: weights.sizeBytes,
    async readInto(offsetBytes, target) {
      const next = await chunks.next()
      if (next.done || next.value.length !== target.length) throw new Error(`no chunk fits at ${offsetBytes}`)
      target.set(next.value)
    },
  }
}

/** Runs a compiled model once. */
export async function runCompiled(
  model: CompiledModel,
  inputs: readonly Tensor[],
  kernels: KernelBackend = referenceKernels,
): Promise<readonly Tensor[]> {
  const { program, inputs: specs, outputs } = model
  const symbols: Record<string, number> = {}
  for (const [i, { shape }] of specs.entries()) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'string') symbols[dim] = inputs[i]?.shape[axis] ?? 1
    }
  }
  const session = await createSession({ kernels, program, weights: weightSource(model), symbols })
  try {
    const results = session.run(new Map(specs.map((it, i) => [it.name, inputs[i] as Tensor])))
    return outputs.map(({ name }) => results.get(name) as Tensor)
  } finally {
    session.dispose()
  }
}

export async function runModel(
  source: ModelSource,
  inputs: readonly Tensor[],
  kernels?: KernelBackend,
): Promise<readonly Tensor[]> {
  return runCompiled(await compileGraph(await importOnnx(source)), inputs, kernels)
}

/** Tensors `<prefix>_0.pb`, `<prefix>_1.pb`, … of a set of test data; null where a number is left out. */
export async function readTensors(
  folder: string,
  prefix: 'input' | 'output',
  count: number,
): Promise<(Tensor | null)[]> {
  const read = async (i: number): Promise<Tensor | null> => {
    const bytes = await readFile(join(folder, `${prefix}_${i}.pb`)).catch(() => null)
    return bytes === null ? null : decodeTensorProto(bytes).tensor
  }
  return Promise.all(Array.from({ length: count }, (_, i) => read(i)))
}

export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/** Elements as numbers: float16 is carried as bits. */
function numbersOf({ dtype, data }: Tensor): ArrayLike<number> {
  if (dtype !== 'float16') return Array.from(data as ArrayLike<number | bigint>, Number)
  const numbers = new Float64Array(data.length)
  convertElements(data, 'float16', numbers, 'float64')
  return numbers
}

/** The first element that is off, in words; null if none is. NaN equals NaN, integers must be equal. */
export function difference(
  actual: Tensor,
  expected: Tensor,
  { relative, absolute }: Tolerance,
): string | null {
  if (actual.dtype !== expected.dtype) return `dtype ${actual.dtype}, expected ${expected.dtype}`
  if (actual.shape.join() !== expected.shape.join())
    return `shape [${actual.shape}], expected [${expected.shape}]`
  const isExact = !expected.dtype.startsWith('float')
  const [actualNumbers, expectedNumbers] = [numbersOf(actual), numbersOf(expected)]
  for (let i = 0; i < expected.data.length; i++) {
    const a = actualNumbers[i] as number
    const b = expectedNumbers[i] as number
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    if (isExact || !(Math.abs(a - b) <= absolute + relative * Math.abs(b)))
      return `element ${i} is ${a}, expected ${b}`
  }
  return null
}
