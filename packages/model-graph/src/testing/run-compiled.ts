// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { createSession, type WeightSource } from '@mlcapsule/inference-kernels'
import type { CompiledModel } from '../compile/compile.ts'

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

/**
 * What a test's model may grow to, unless its sizes are fixed: a JavaScript engine collects garbage for every reservation of
 * gigabytes.
 */
const usualMemorySizeBytes = 256 * 1024 * 1024

/**
 * Runs a compiled model once.
 * @param inputs in the order of `model.inputs`
 * @returns outputs in the order of `model.outputs`
 * @throws KernelError whatever the engine says to the query
 */
export async function runCompiled(
  model: CompiledModel,
  inputs: readonly Tensor[],
  kernels: KernelBackend,
  maxMemorySizeBytes = usualMemorySizeBytes,
): Promise<readonly Tensor[]> {
  const { program, inputs: specs, outputs } = model
  const symbols: Record<string, number> = {}
  for (const [i, { shape }] of specs.entries()) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'string') symbols[dim] = inputs[i]?.shape[axis] ?? 1
    }
  }
  const session = await createSession({
    kernels,
    program,
    weights: weightSource(model),
    symbols,
    maxMemorySizeBytes,
  })
  try {
    const results = session.run(new Map(specs.map((it, i) => [it.name, inputs[i] as Tensor])))
    return outputs.map(({ name }) => results.get(name) as Tensor)
  } finally {
    session.dispose()
  }
}
