// SPDX-License-Identifier: Apache-2.0
import type { Graph } from './graph/graph.ts'
import type { ImportOptions } from './import-options.ts'
import { importOnnx } from './onnx/import.ts'
import { type ModelSource, readExactly } from './source/model-source.ts'
import { importTfjs } from './tfjs/import.ts'

/** First bytes of the fields of ONNX's ModelProto, tag and wire type. */
const modelProtoTags = new Set([0x08, 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72, 0xa2, 0xca])
const whiteSpace = new Set([0x20, 0x09, 0x0a, 0x0d])
const openingBrace = 0x7b

/**
 * Which format a file seems to have by its first bytes: ONNX's protobuf, or JSON as TensorFlow.js has it; null for neither.
 * @throws ModelError `MODEL_READ_FAILED`
 */
export async function modelFormatOf(source: ModelSource): Promise<'onnx' | 'tfjs' | null> {
  const bytes = await readExactly(source, 0, Math.min(source.sizeBytes, 64))
  if (bytes.find((byte) => !whiteSpace.has(byte)) === openingBrace) return 'tfjs'
  return modelProtoTags.has(bytes[0] ?? 0) ? 'onnx' : null
}

/**
 * Reads a model of either format, whatever its file is called.
 * @throws ModelError any `MODEL_*` code
 */
export async function importModel(source: ModelSource, options: ImportOptions = {}): Promise<Graph> {
  const format = await modelFormatOf(source)
  return format === 'tfjs' ? importTfjs(source, options) : importOnnx(source, options)
}
