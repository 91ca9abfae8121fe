// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { memoryCapsuleSink, writeCapsule } from '@mlcapsule/capsule-format'
import { expose, generateSigningKeyPair, keyThumbprint, toHex, wipe } from '@mlcapsule/crypto'
import { SeededRandom } from '@mlcapsule/inference-kernels/testing'
import { compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { tinyModel } from '@mlcapsule/model-graph/testing'
import type { GivenCapsule, GivenModel } from '../probe/given.ts'

export interface PackedModel {
  readonly capsule: GivenCapsule
  readonly bytes: Uint8Array
  readonly query: GivenModel
}

const digitsFile = join(import.meta.dirname, '../../../examples/digits/model/digits.onnx')
const batch = 2

/** Models that the provider's side compiled and packed just now, each with a query. */
export async function packModels(): Promise<readonly PackedModel[]> {
  return [
    await packModel('digits', new Uint8Array(readFileSync(digitsFile))),
    await packModel('tiny-cnn', tinyModel({ kind: 'cnn', batch: 'batch' })),
  ]
}

async function packModel(name: string, onnx: Uint8Array): Promise<PackedModel> {
  const model = await compileGraph(await importOnnx(memoryModelSource(onnx)))
  const publisher = generateSigningKeyPair()
  const authority = generateSigningKeyPair()
  const sink = memoryCapsuleSink()
  const { contentKey } = await writeCapsule(sink, {
    core: {
      modelName: name,
      modelVersion: 1,
      inputs: model.inputs,
      outputs: model.outputs,
      minimumTier: 'none',
      authority: [keyThumbprint(authority.publicKey)],
    },
    publisher,
    program: model.program,
    weights: { sizeBytes: model.weights.sizeBytes, chunks: model.weights.chunks() },
    pageSizeBytes: 16_384,
  })
  const capsule: GivenCapsule = {
    name,
    publishers: [toHex(publisher.publicKey)],
    // Shown to the browser, which has no enclave in this test.
    contentKey: toHex(expose(contentKey, 'content-key')),
    sources: ['blob', 'ranges'],
  }
  wipe(contentKey)
  const [input] = model.inputs
  if (input === undefined) throw new Error(`${name} has no input`)
  const symbols = Object.fromEntries(
    input.shape.filter((dim) => typeof dim === 'string').map((dim) => [dim, batch]),
  )
  const shape = input.shape.map((dim) => (typeof dim === 'string' ? batch : dim))
  const data = new SeededRandom(1).floats(
    shape.reduce((product, dim) => product * dim, 1),
    0,
    1,
  )
  const query = {
    name,
    symbols,
    input: { name: input.name, shape, data: toHex(new Uint8Array(data.buffer)) },
  }
  return { capsule, bytes: sink.bytes(), query }
}
