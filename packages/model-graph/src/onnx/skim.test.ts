// SPDX-License-Identifier: Apache-2.0
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { isMlCapsuleError } from '@mlcapsule/contracts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { modelLimits } from '../limits.ts'
import { type ModelSource, memoryModelSource } from '../source/model-source.ts'
import { tinyModel } from '../testing/index.ts'
import {
  AttributeProto_AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type TensorProto,
  type TensorProtoSchema,
} from './generated/onnx_pb.ts'
import { payloadFieldNumber, skim } from './skim.ts'

const numRuns = process.env.SLOW === '1' ? 20_000 : 200
const threshold = modelLimits.payloadThresholdBytes

/** A source that counts what it gives out, to see that payloads are not read. */
function countingSource(bytes: Uint8Array): ModelSource & { readSizeBytes: number } {
  const inner = memoryModelSource(bytes)
  const source = {
    sizeBytes: inner.sizeBytes,
    readSizeBytes: 0,
    read(offsetBytes: number, sizeBytes: number) {
      source.readSizeBytes += sizeBytes
      return inner.read(offsetBytes, sizeBytes)
    },
  }
  return source
}

function tensorsOf(graph: GraphProto | undefined): TensorProto[] {
  if (graph === undefined) return []
  const attributes = graph.node.flatMap((node) => node.attribute)
  return [
    ...graph.initializer,
    ...graph.sparseInitializer.flatMap((it) => [it.values, it.indices]).filter((it) => it !== undefined),
    ...attributes.flatMap((it) => [...(it.t === undefined ? [] : [it.t]), ...it.tensors, ...tensorsOf(it.g)]),
  ]
}

/** Decodes a skeleton and puts the payloads back where they were. */
async function restored(bytes: Uint8Array): Promise<ModelProto> {
  const { bytes: skeleton, payloads } = await skim(memoryModelSource(bytes), ModelProtoSchema)
  const model = fromBinary(ModelProtoSchema, skeleton)
  for (const tensor of tensorsOf(model.graph)) {
    const marker = tensor.$unknown?.find((it) => it.no === payloadFieldNumber)
    if (marker === undefined) continue
    const payload = payloads[marker.data[0] as number]
    if (payload === undefined) throw new Error('a marker without payload')
    const data = bytes.slice(payload.offsetBytes, payload.offsetBytes + payload.sizeBytes)
    if (payload.field === 'raw_data') tensor.rawData = data
    else if (payload.field === 'float_data') tensor.floatData = [...new Float32Array(data.buffer)]
    else tensor.doubleData = [...new Float64Array(data.buffer)]
    delete tensor.$unknown
  }
  return model
}

const text = fc.string({ maxLength: 12 })
const number = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: threshold / 8 - 2, max: threshold / 4 + 8 }),
)

const tensor: fc.Arbitrary<MessageInitShape<typeof TensorProtoSchema>> = fc
  .record({
    name: text,
    dims: fc.array(number, { maxLength: 4 }),
    dataType: fc.integer({ min: 0, max: 30 }),
    field: fc.constantFrom('rawData', 'floatData', 'doubleData', 'int64Data', 'int32Data'),
    size: sizes,
    docString: text,
  })
  .map(({ field, size, ...rest }) => {
    const ints = Array.from({ length: size }, (_, i) => i - 3)
    if (field === 'rawData') return { ...rest, rawData: Uint8Array.from(ints) }
    return { ...rest, [field]: field === 'int64Data' ? ints.map(BigInt) : ints }
  })

const attribute = fc.record({
  name: text,
  type: fc.constantFrom(...Object.values(AttributeProto_AttributeType)),
  i: number,
  f: fc.float(),
  ints: fc.array(number, { maxLength: 5 }),
  floats: fc.array(fc.float(), { maxLength: 5 }),
  t: tensor,
  strings: fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 3 }),
})

const model = fc.record({
  irVersion: number,
  producerName: text,
  opsetImport: fc.array(fc.record({ domain: text, version: number }), { maxLength: 2 }),
  graph: fc.record({
    name: text,
    initializer: fc.array(tensor, { maxLength: 3 }),
    node: fc.array(
      fc.record({
        opType: text,
        input: fc.array(text, { maxLength: 3 }),
        attribute: fc.array(attribute, { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
  }),
})

describe('skim', () => {
  test('a skeleton with its payloads equals the model decoded whole', async () => {
    await fc.assert(
      fc.asyncProperty(model, async (init) => {
        const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, init))
        expect(await restored(bytes)).toEqual(fromBinary(ModelProtoSchema, bytes))
      }),
      { numRuns: process.env.SLOW === '1' ? 3000 : 60 },
    )
  })

  test('reads graphs that are larger than one window', async () => {
    const node = Array.from({ length: 30_000 }, (_, i) => ({
      opType: 'Relu',
      input: [`v${i}`],
      output: [`v${i + 1}`],
    }))
    const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph: { node } }))
    expect(bytes.length).toBeGreaterThan(512 * 1024)
    expect((await restored(bytes)).graph?.node.map((it) => it.output[0])).toEqual(
      node.map((it) => it.output[0]),
    )
  })

  test('leaves large payloads in the file', async () => {
    const rawData = new Uint8Array(8 * 1024 * 1024)
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        graph: {
          initializer: [
            { name: 'a', rawData },
            { name: 'b', rawData },
          ],
        },
      }),
    )
    const source = countingSource(bytes)
    const skeleton = await skim(source, ModelProtoSchema)
    expect(skeleton.payloads.map((it) => it.sizeBytes)).toEqual([rawData.length, rawData.length])
    expect(skeleton.bytes.length).toBeLessThan(64)
    expect(source.readSizeBytes).toBeLessThan(1024 * 1024)
  })

  test('drops unknown fields, so no file can name a payload itself', async () => {
    const forged = [0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00]
    const unknownBytes = [0xfa, 0x01, 2, 0x42, 0x42]
    const tensorBytes = [...forged, ...unknownBytes, 0x42, 1, 0x77]
    const bytes = Uint8Array.from([0x3a, 2 + tensorBytes.length, 0x2a, tensorBytes.length, ...tensorBytes])
    const { bytes: skeleton } = await skim(memoryModelSource(bytes), ModelProtoSchema)
    const initializer = fromBinary(ModelProtoSchema, skeleton).graph?.initializer[0]
    expect(initializer?.name).toBe('w')
    expect(initializer?.$unknown).toBeUndefined()
  })

  const nested = (depth: number): number[] => {
    let bytes: number[] = []
    for (let i = 0; i < depth; i++) {
      const inner = [0x32, ...varint(bytes.length), ...bytes]
      const node = [0x2a, ...varint(inner.length), ...inner]
      bytes = [0x0a, ...varint(node.length), ...node]
    }
    return [0x3a, ...varint(bytes.length), ...bytes]
  }
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]

  test.each([
    ['a group', [0x0b], 'MODEL_PROTO_MALFORMED'],
    ['field number 0', [0x00, 0x00], 'MODEL_PROTO_MALFORMED'],
    ['a length beyond the end', [0x3a, 0x7f], 'MODEL_PROTO_MALFORMED'],
    ['a length beyond the enclosing message', [0x3a, 2, 0x12, 3, 1, 1, 1], 'MODEL_PROTO_MALFORMED'],
    ['an integer without end', new Array(11).fill(0xff), 'MODEL_PROTO_MALFORMED'],
    ['a string where a message must be', [0x38, 1], 'MODEL_PROTO_MALFORMED'],
    ['graphs nested without end', nested(40), 'MODEL_TOO_LARGE'],
  ])('refuses %s', async (_what, bytes, code) => {
    const source = memoryModelSource(Uint8Array.from(bytes))
    await expect(skim(source, ModelProtoSchema)).rejects.toMatchObject({ code })
  })

  test('refuses more elements than the limit, before it has read them all', async () => {
    const count = modelLimits.elementCount + 1
    const bytes = new Uint8Array(2 * count + 8)
    bytes.set([0x3a, ...varint(2 * count)])
    for (let i = 0; i < count; i++) bytes[5 + 2 * i] = 0x0a
    await expect(skim(memoryModelSource(bytes), ModelProtoSchema)).rejects.toMatchObject({
      code: 'MODEL_TOO_LARGE',
    })
  })

  test('says so when the source gives less than it promised', async () => {
    const source: ModelSource = { sizeBytes: 100, read: async () => new Uint8Array(3) }
    await expect(skim(source, ModelProtoSchema)).rejects.toMatchObject({ code: 'MODEL_READ_FAILED' })
  })

  test('never fails without a code, whatever the bytes', async () => {
    const seed = tinyModel({ kind: 'cnn' })
    const mutation = fc.tuple(fc.nat(seed.length - 1), fc.nat(255))
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(mutation, { minLength: 1, maxLength: 8 }).map((mutations) => {
        const copy = seed.slice()
        for (const [at, value] of mutations) copy[at] = value
        return copy
      }),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (it) => {
        try {
          await skim(memoryModelSource(it), ModelProtoSchema)
        } catch (error) {
          if (!isMlCapsuleError(error)) throw error
        }
      }),
      { numRuns },
    )
  })
})
