// SPDX-License-Identifier: Apache-2.0
import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import {
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../onnx/generated/onnx_pb.ts'
import type { ModelSource } from '../source/model-source.ts'
import { graphInit } from './build-model.ts'

export interface VirtualModelOptions {
  readonly innerCount: number
  readonly columnCount: number
  /** Gemm with transB: weights lie as [columnCount, innerCount]. */
  readonly transposed: boolean
  /** The weight at a place of the file's order. */
  weightAt(index: number): number
}

/** Tag and length of a field, to be followed by its bytes. */
function header(fieldNumber: number, sizeBytes: number): Uint8Array {
  return new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint64(sizeBytes).finish()
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

/**
 * A model of one dense layer, `x` [1, innerCount] → `y` [1, columnCount], whose weights exist only while they are read:
 * for tests of models larger than memory. `largestReadSizeBytes` tells the largest piece that was asked for.
 */
export function virtualModelSource(
  options: VirtualModelOptions,
): ModelSource & { readonly largestReadSizeBytes: number } {
  const { innerCount, columnCount, transposed, weightAt } = options
  const rawSizeBytes = innerCount * columnCount * 4
  const dims = transposed ? [columnCount, innerCount] : [innerCount, columnCount]
  const tensor = toBinary(
    TensorProtoSchema,
    create(TensorProtoSchema, { name: 'w', dims: dims.map(BigInt), dataType: TensorProto_DataType.FLOAT }),
  )
  const rest = toBinary(
    GraphProtoSchema,
    create(
      GraphProtoSchema,
      graphInit({
        inputs: { x: [1, innerCount] },
        outputs: { y: [1, columnCount] },
        nodes: [
          { op: 'Gemm', inputs: ['x', 'w'], outputs: ['y'], attributes: { transB: transposed ? 1 : 0 } },
        ],
      }),
    ),
  )
  const model = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: '', version: 13n }] }),
  )
  const raw = header(9, rawSizeBytes)
  const tensorSizeBytes = tensor.length + raw.length + rawSizeBytes
  const initializer = header(5, tensorSizeBytes)
  const graphSizeBytes = rest.length + initializer.length + tensorSizeBytes
  const prefix = joined([model, header(7, graphSizeBytes), rest, initializer, tensor, raw])
  let largestReadSizeBytes = 0
  return {
    sizeBytes: prefix.length + rawSizeBytes,
    get largestReadSizeBytes() {
      return largestReadSizeBytes
    },
    async read(offsetBytes, sizeBytes) {
      largestReadSizeBytes = Math.max(largestReadSizeBytes, sizeBytes)
      const bytes = new Uint8Array(sizeBytes)
      bytes.set(prefix.subarray(offsetBytes, offsetBytes + sizeBytes))
      const from = Math.max(0, prefix.length - offsetBytes)
      const firstByte = offsetBytes + from - prefix.length
      const firstWord = Math.floor(firstByte / 4)
      const wordCount = Math.ceil((firstByte + Math.max(0, sizeBytes - from)) / 4) - firstWord
      const words = new Float32Array(wordCount)
      for (let i = 0; i < wordCount; i++) words[i] = weightAt(firstWord + i)
      const skip = firstByte - firstWord * 4
      if (from < sizeBytes) bytes.set(new Uint8Array(words.buffer, skip, sizeBytes - from), from)
      return bytes
    },
  }
}
