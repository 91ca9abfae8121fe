// SPDX-License-Identifier: Apache-2.0
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { ModelError } from '../errors.ts'
import { modelLimits } from '../limits.ts'
import type { ModelSource } from '../source/model-source.ts'
import { TensorProtoSchema } from './generated/onnx_pb.ts'
import { WireReader } from './wire-reader.ts'

/** A large payload of a tensor, left where it is in the file: little-endian elements, one after another. */
export interface Payload {
  readonly offsetBytes: number
  readonly sizeBytes: number
  /** The TensorProto field that it is the value of. */
  readonly field: 'raw_data' | 'float_data' | 'double_data'
}

/** A message without its large payloads. `payloads[i]` is referred to by `payloadFieldNumber` with value i. */
export interface Skeleton {
  readonly bytes: Uint8Array
  readonly payloads: readonly Payload[]
}

/**
 * The highest field number that protobuf allows; ONNX does not use it. A tensor of the skeleton carries the index of its
 * payload in it. The skimmer drops fields that the schema does not have, so no file can bring its own.
 */
export const payloadFieldNumber = 536_870_911

const emptyMessage = new Uint8Array(0)

const malformed = (detail: string) => new ModelError('MODEL_PROTO_MALFORMED', detail)

/** Fields of fixed-width elements, whose packed bytes are the elements themselves. */
const payloadFields = new Map<number, Payload['field']>([
  [9, 'raw_data'],
  [4, 'float_data'],
  [10, 'double_data'],
])

function wireTypeOf(scalar: ScalarType): WireType {
  if (scalar === ScalarType.FLOAT) return WireType.Bit32
  if (scalar === ScalarType.DOUBLE) return WireType.Bit64
  return scalar === ScalarType.STRING || scalar === ScalarType.BYTES
    ? WireType.LengthDelimited
    : WireType.Varint
}

/** What a field may look like on the wire: its own type, and packed if it is a repeated number. */
function expectedWireTypes(field: DescField): readonly WireType[] {
  if (field.message !== undefined) return [WireType.LengthDelimited]
  const own = field.scalar === undefined ? WireType.Varint : wireTypeOf(field.scalar)
  return field.fieldKind === 'list' && own !== WireType.LengthDelimited
    ? [own, WireType.LengthDelimited]
    : [own]
}

class Skimmer {
  readonly reader: WireReader
  readonly payloads: Payload[] = []
  #elementCount = 0
  #copiedSizeBytes = 0

  constructor(source: ModelSource) {
    this.reader = new WireReader(source)
  }

  #countElements(count: number): void {
    this.#elementCount += count
    if (this.#elementCount > modelLimits.elementCount) {
      throw new ModelError('MODEL_TOO_LARGE', `the graph has more than ${modelLimits.elementCount} elements`)
    }
  }

  #countCopied(sizeBytes: number): void {
    this.#copiedSizeBytes += sizeBytes
    if (this.#copiedSizeBytes > modelLimits.skeletonSizeBytes) {
      throw new ModelError(
        'MODEL_TOO_LARGE',
        `the model without its tensor data is larger than ${modelLimits.skeletonSizeBytes} bytes`,
      )
    }
  }

  /** Rewrites one message, which ends at `end`, without payloads and unknown fields. */
  async message(schema: DescMessage, end: number, depth: number): Promise<Uint8Array<ArrayBuffer>> {
    if (depth > modelLimits.messageDepth) {
      throw new ModelError(
        'MODEL_TOO_LARGE',
        `messages are nested more than ${modelLimits.messageDepth} deep`,
      )
    }
    const fields = fieldsByNumber(schema)
    const { reader } = this
    const out = new BinaryWriter()
    let hasPayload = false
    while (reader.position < end) {
      if (!reader.hasField(end)) await reader.loadField(end)
      const tag = reader.varint(end)
      const number = Math.floor(tag / 8)
      const wireType = (tag % 8) as WireType
      if (number < 1 || number > payloadFieldNumber) throw malformed(`field number ${number}`)
      this.#countElements(1)
      const field = fields.get(number)
      if (field === undefined) {
        this.#skip(wireType, end)
        continue
      }
      if (!expectedWireTypes(field).includes(wireType)) {
        throw malformed(`${schema.typeName}.${field.name} has wire type ${wireType}`)
      }
      if (wireType !== WireType.LengthDelimited) {
        this.#number(out, number, wireType, end)
        continue
      }
      const sizeBytes = reader.length(end)
      const payloadField = schema === TensorProtoSchema ? payloadFields.get(number) : undefined
      if (payloadField !== undefined && sizeBytes >= modelLimits.payloadThresholdBytes) {
        if (hasPayload) throw malformed('a tensor has two payloads')
        hasPayload = true
        out.tag(payloadFieldNumber, WireType.Varint).uint32(this.payloads.length)
        this.payloads.push({ offsetBytes: reader.position, sizeBytes, field: payloadField })
        reader.position += sizeBytes
      } else if (field.message !== undefined) {
        const innerEnd = reader.position + sizeBytes
        const inner = sizeBytes === 0 ? emptyMessage : await this.message(field.message, innerEnd, depth + 1)
        out.tag(number, WireType.LengthDelimited).bytes(inner)
      } else {
        if (
          field.fieldKind === 'list' &&
          field.scalar !== ScalarType.BYTES &&
          field.scalar !== ScalarType.STRING
        ) {
          this.#countElements(sizeBytes)
        }
        this.#countCopied(sizeBytes)
        out.tag(number, WireType.LengthDelimited).bytes(await reader.bytes(sizeBytes))
      }
    }
    this.#countCopied(2)
    return out.finish()
  }

  #number(out: BinaryWriter, number: number, wireType: WireType, end: number): void {
    this.#countCopied(8)
    out.tag(number, wireType).raw(this.#numberBytes(wireType, end))
  }

  #numberBytes(wireType: WireType, end: number): Uint8Array {
    if (wireType === WireType.Varint) return this.reader.varintBytes(end)
    return this.reader.fixed(wireType === WireType.Bit32 ? 4 : 8, end)
  }

  #skip(wireType: WireType, end: number): void {
    const isNumber =
      wireType === WireType.Varint || wireType === WireType.Bit32 || wireType === WireType.Bit64
    if (isNumber) this.#numberBytes(wireType, end)
    else if (wireType === WireType.LengthDelimited) {
      const sizeBytes = this.reader.length(end)
      this.reader.position += sizeBytes
    } else throw malformed(`wire type ${wireType}`)
  }
}

const fieldTables = new Map<DescMessage, ReadonlyMap<number, DescField>>()

function fieldsByNumber(schema: DescMessage): ReadonlyMap<number, DescField> {
  let table = fieldTables.get(schema)
  if (table === undefined) {
    table = new Map(schema.fields.map((field) => [field.number, field]))
    fieldTables.set(schema, table)
  }
  return table
}

/**
 * Reads a protobuf message of the ONNX schema but for the large payloads of its tensors, which stay in the file. Time and
 * memory are bounded by `modelLimits`, whatever the bytes are.
 * @throws ModelError `MODEL_PROTO_MALFORMED`, `MODEL_TOO_LARGE`, `MODEL_READ_FAILED`
 */
export async function skim(source: ModelSource, schema: DescMessage): Promise<Skeleton> {
  const skimmer = new Skimmer(source)
  const bytes = await skimmer.message(schema, source.sizeBytes, 0)
  return { bytes, payloads: skimmer.payloads }
}
