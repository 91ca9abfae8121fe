// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest'
import { importModel, modelFormatOf } from './import-model.ts'
import { memoryModelSource } from './source/model-source.ts'
import { layerChain, tfjsFiles, tinyModel } from './testing/index.ts'

const chain = tfjsFiles({
  topology: layerChain(['ReLU', { name: 'r', batch_input_shape: [null, 2] }]),
})
const text = (value: string) => new TextEncoder().encode(value)

test.each<[string, Uint8Array, 'onnx' | 'tfjs' | null]>([
  ['an ONNX model', tinyModel({ kind: 'cnn' }), 'onnx'],
  ['a model.json', chain.model, 'tfjs'],
  ['a model.json that begins with white space', text('\r\n\t {}'), 'tfjs'],
  ['other text', text('model'), null],
  ['nothing', new Uint8Array(), null],
])('%s is told apart from others by its first bytes', async (_what, bytes, format) => {
  expect(await modelFormatOf(memoryModelSource(bytes))).toBe(format)
})

test('importModel reads either format', async () => {
  const onnx = await importModel(memoryModelSource(tinyModel({ kind: 'cnn' })))
  expect(onnx.source.operators.Conv).toBeGreaterThan(0)
  const tfjs = await importModel(memoryModelSource(chain.model), { symbols: { batch: 3 } })
  expect(tfjs.outputs).toMatchObject([{ name: 'r', value: { dims: [3, 2] } }])
  const rejected = expect(importModel(memoryModelSource(Uint8Array.of(0xff, 0xff)))).rejects
  await rejected.toMatchObject({ code: 'MODEL_PROTO_MALFORMED' })
})
