// SPDX-License-Identifier: Apache-2.0
import { fromBinary } from '@bufbuild/protobuf'
import { ModelError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { checkSymbols, type ImportOptions } from '../import-options.ts'
import { modelLimits } from '../limits.ts'
import type { ModelSource } from '../source/model-source.ts'
import { type ModelProto, ModelProtoSchema } from './generated/onnx_pb.ts'
import { type ExaminedGraph, examineGraph } from './import-graph.ts'
import { skim } from './skim.ts'

/**
 * Decodes an ONNX file and walks over its graph.
 * @throws ModelError any `MODEL_*` code, but none for nodes that are not supported
 */
export async function examineOnnx(
  source: ModelSource,
  symbols: Readonly<Record<string, number>>,
): Promise<{ readonly model: ModelProto; readonly examined: ExaminedGraph }> {
  checkSymbols(symbols)
  const { bytes, payloads } = await skim(source, ModelProtoSchema)
  let model: ModelProto
  try {
    model = fromBinary(ModelProtoSchema, bytes)
  } catch (cause) {
    throw new ModelError('MODEL_PROTO_MALFORMED', 'the file is not an ONNX model', { cause })
  }
  const { graph } = model
  if (graph === undefined) throw new ModelError('MODEL_GRAPH_INVALID', 'the file holds no graph')
  if (graph.node.length > modelLimits.nodeCount) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `the graph has ${graph.node.length} nodes, more than ${modelLimits.nodeCount}`,
    )
  }
  return { model, examined: await examineGraph(graph, model, { source, payloads }, symbols) }
}

/**
 * Reads an ONNX model. Large tensors stay in the file: the source must stay open until the compiled model's weights have
 * been streamed.
 * @throws ModelError any `MODEL_*` code; `MODEL_OPERATOR_UNSUPPORTED` and `MODEL_DTYPE_UNSUPPORTED` list every node at
 * fault in `issues`
 */
export async function importOnnx(source: ModelSource, options: ImportOptions = {}): Promise<Graph> {
  return (await examineOnnx(source, options.symbols ?? {})).examined.finish()
}
