// SPDX-License-Identifier: Apache-2.0

import { type CapsuleHeader, memoryCapsuleSink, writeCapsule } from '@mlcapsule/capsule-format'
import { seededRandom } from '@mlcapsule/contracts'
import { cryptoReady, generateSigningKeyPair, keyThumbprint } from '@mlcapsule/crypto'
import { type CompiledModel, compileGraph, importOnnx, memoryModelSource } from '@mlcapsule/model-graph'
import { buildModel, randomFloats, type TestNode } from '@mlcapsule/model-graph/testing'
import { expect, test } from 'vitest'

/** Dense layers of these widths, each but the last with a ReLU; weights alone, no biases. */
async function denseModel(widths: readonly number[]): Promise<CompiledModel> {
  const random = seededRandom(widths.length)
  const layers = widths
    .slice(1)
    .map((to, index) => ({ from: widths[index] as number, to, name: `w${index}` }))
  const constants = layers.map(({ from, to, name }) => [
    name,
    { dims: [from, to], data: randomFloats(random, from * to, 0.1) },
  ])
  const nodes = layers.flatMap(({ name }, index): TestNode[] => {
    const isLast = index === layers.length - 1
    const product = isLast ? 'y' : `product${index}`
    const input = index === 0 ? 'x' : `layer${index - 1}`
    const layer = { op: 'MatMul', inputs: [input, name], outputs: [product] }
    return isLast ? [layer] : [layer, { op: 'Relu', inputs: [product], outputs: [`layer${index}`] }]
  })
  const onnx = buildModel({
    inputs: { x: ['batch', 16] },
    outputs: { y: ['batch', 16] },
    constants: Object.fromEntries(constants),
    nodes,
  })
  return await compileGraph(await importOnnx(memoryModelSource(onnx)))
}

test('the capsules of a wide and a deep model of one size differ in name, ids, hashes and signature alone', async () => {
  await cryptoReady()
  const publisher = generateSigningKeyPair()
  const authority = [keyThumbprint(generateSigningKeyPair().publicKey)]
  const pack = async (modelName: string, model: CompiledModel): Promise<[CapsuleHeader, Uint8Array]> => {
    const sink = memoryCapsuleSink()
    const { inputs, outputs, program, weights } = model
    const core = { modelName, modelVersion: 1, inputs, outputs, minimumTier: 'simulated', authority } as const
    const { header } = await writeCapsule(sink, { core, publisher, program, weights, pageSizeBytes: 4_096 })
    return [header, sink.bytes()]
  }
  const wide = await denseModel([16, 64, 16])
  const deep = await denseModel([16, 16, 16, 16, 16, 16, 16, 16, 16])
  expect(deep.weights.sizeBytes).toBe(wide.weights.sizeBytes)
  expect(deep.program.length).toBeGreaterThan(wide.program.length)

  const [wideHeader, wideBytes] = await pack('Wide', wide)
  const [deepHeader, deepBytes] = await pack('Deep', deep)
  expect(deepBytes.length).toBe(wideBytes.length)
  const { modelName, modelId, capsuleId, commit, root, coreBytes } = wideHeader
  expect({ ...deepHeader, modelName, modelId, capsuleId, commit, root, coreBytes }).toEqual(wideHeader)
  expect(deepHeader.coreBytes.length).toBe(coreBytes.length)
})
