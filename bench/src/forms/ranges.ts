// SPDX-License-Identifier: Apache-2.0
import { seededRandom, type Tensor } from '@mlcapsule/contracts'
import { createSession } from '@mlcapsule/inference-kernels'
import { nativeKernels } from '@mlcapsule/inference-kernels/native'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { randomFloats } from '@mlcapsule/model-graph/testing'
import type { Network } from '../networks/network.ts'
import { toOnnx } from './onnx.ts'

/** The least and the largest number that a value took, 0 among them. */
export interface Range {
  readonly least: number
  readonly most: number
}

/** Queries that ranges are taken from. */
const queryCount = 4

async function concatenated(chunks: AsyncIterable<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for await (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function widened(range: Range | undefined, data: Float32Array): Range {
  let { least, most } = range ?? { least: 0, most: 0 }
  for (const x of data) {
    if (x < least) least = x
    if (x > most) most = x
  }
  return { least, most }
}

/** Runs a network in float32 on numbers from a seed, and takes down the range of every value. */
export async function calibrated(network: Network): Promise<ReadonlyMap<string, Range>> {
  const names = network.layers.map(({ output }) => output)
  const graph = await importOnnx(memoryModelSource(toOnnx(network, names)))
  const { program, weights } = await compileGraph(graph)
  const session = await createSession({
    kernels: nativeKernels,
    program,
    weights: await concatenated(weights.chunks(), weights.sizeBytes),
  })
  const ranges = new Map<string, Range>()
  const count = network.inputDims.reduce((product, dim) => product * dim, 1)
  const random = seededRandom(11)
  for (let query = 0; query < queryCount; query++) {
    const data = randomFloats(random, count, Math.sqrt(3))
    const input: Tensor = { dtype: 'float32', shape: network.inputDims, data }
    ranges.set('input', widened(ranges.get('input'), data))
    for (const [name, tensor] of session.run(new Map([['input', input]]))) {
      ranges.set(name, widened(ranges.get(name), tensor.data as Float32Array))
    }
  }
  session.dispose()
  return ranges
}
