// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Tensor } from '@mlcapsule/contracts'
import { fromHex, toHex } from '@mlcapsule/crypto'
import { createSession } from '@mlcapsule/inference-kernels'
import { referenceKernels } from '@mlcapsule/inference-kernels/reference'
import { wasmKernels } from '@mlcapsule/inference-kernels/wasm'
import { type OpenedModel, openModel } from './capsules.ts'
import { codeFrom } from './code.ts'
import type { Given, GivenModel } from './given.ts'

/** One output as little-endian float32 in hex, so that equal means equal in every bit. */
export interface Answer {
  readonly isa: string
  readonly shape: readonly number[]
  readonly data: string
}

export interface ModelFindings {
  readonly wasm: Answer
  readonly reference: Answer
  /** A query whose input has another shape. */
  readonly otherShape: string
}

export const floatsFrom = (hex: string): Float32Array<ArrayBuffer> =>
  new Float32Array(Uint8Array.from(fromHex(hex)).buffer)

export async function probeInference(given: Given): Promise<Record<string, ModelFindings>> {
  const found: Record<string, ModelFindings> = {}
  for (const query of given.models) {
    const model = await openModel(given, query.name)
    found[query.name] = {
      wasm: await answer(wasmKernels, model, query),
      reference: await answer(referenceKernels, model, query),
      otherShape: await codeFrom(() =>
        answer(wasmKernels, model, {
          ...query,
          input: { ...query.input, shape: [query.input.data.length / 8] },
        }),
      ),
    }
  }
  return found
}

async function answer(kernels: KernelBackend, model: OpenedModel, query: GivenModel): Promise<Answer> {
  const session = await createSession({
    kernels,
    program: model.program,
    weights: {
      sizeBytes: model.weightsSizeBytes,
      readInto: async (offsetBytes, target) =>
        target.set(model.weights.subarray(offsetBytes, offsetBytes + target.length)),
    },
    symbols: query.symbols,
  })
  try {
    const { name, shape, data } = query.input
    const outputs = session.run(new Map([[name, { dtype: 'float32', shape, data: floatsFrom(data) }]]))
    const [output] = [...outputs.values()] as [Tensor]
    const { buffer, byteOffset, byteLength } = output.data
    return {
      isa: session.isa,
      shape: output.shape,
      data: toHex(new Uint8Array(buffer, byteOffset, byteLength)),
    }
  } finally {
    session.dispose()
  }
}
