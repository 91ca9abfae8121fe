// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import {
  AttributeProto_AttributeType,
  create,
  fromBinary,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  toBinary,
} from '../onnx-proto/index.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

describe('the generated ONNX schema', () => {
  test('is what the generator makes of proto/onnx.proto', () => {
    execFileSync(process.execPath, [join(root, 'tools/generate-onnx-proto.mjs'), '--check'])
  })

  test('writes the bytes of the ONNX format', () => {
    const tensor = create(TensorProtoSchema, {
      name: 'w',
      dims: [2n],
      dataType: TensorProto_DataType.FLOAT,
      rawData: new Uint8Array([0, 0, 128, 63, 0, 0, 0, 64]),
    })
    const expected = [0x0a, 1, 2, 0x10, 1, 0x42, 1, 0x77, 0x4a, 8, 0, 0, 128, 63, 0, 0, 0, 64]
    expect([...toBinary(TensorProtoSchema, tensor)]).toEqual(expected)
  })

  test('reads repeated numbers packed and one by one', () => {
    for (const bytes of [
      [0x0a, 2, 2, 3],
      [0x08, 2, 0x08, 3],
    ]) {
      expect(fromBinary(TensorProtoSchema, new Uint8Array(bytes)).dims).toEqual([2n, 3n])
    }
  })

  test('a model comes back as it was written', () => {
    const model = create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: '', version: 13n }],
      graph: {
        name: 'g',
        node: [
          {
            opType: 'LeakyRelu',
            input: ['x'],
            output: ['y'],
            attribute: [{ name: 'alpha', type: AttributeProto_AttributeType.FLOAT, f: 0.5 }],
          },
        ],
      },
    })
    expect(fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, model))).toEqual(model)
  })
})
