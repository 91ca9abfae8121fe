// SPDX-License-Identifier: Apache-2.0
import type { Graph } from '../graph/graph.ts'
import { checkSymbols, type ImportOptions } from '../import-options.ts'
import { removeDeadNodes } from '../passes/remove-dead-nodes.ts'
import type { ModelSource } from '../source/model-source.ts'
import { Fields, malformed } from './fields.ts'
import { importGraphModel } from './graph-model/import-graph-model.ts'
import { readJson } from './json.ts'
import { importLayersModel } from './layers-model/import-layers-model.ts'
import { readWeights } from './weights.ts'

/**
 * Reads a model of TensorFlow.js: the `model.json` of a layers-model or a graph-model, with its weights in files beside it.
 * They stay there: the source must stay open until the compiled model's weights have been streamed.
 * @throws ModelError any `MODEL_*` code; `MODEL_OPERATOR_UNSUPPORTED` and `MODEL_DTYPE_UNSUPPORTED` list every node at
 * fault in `issues`
 */
export async function importTfjs(source: ModelSource, options: ImportOptions = {}): Promise<Graph> {
  const symbols = options.symbols ?? {}
  checkSymbols(symbols)
  const model = new Fields(await readJson(source), 'model.json')
  const topology = model.object('modelTopology')
  const isGraph = topology.has('node')
  if (!isGraph && !topology.has('model_config') && !topology.has('class_name')) {
    malformed('modelTopology is neither a graph of nodes nor a configuration of layers')
  }
  const weights = await readWeights(model, source)
  const graph = await (isGraph
    ? importGraphModel(model, weights, symbols)
    : importLayersModel(topology, weights, symbols))
  // What shapes are computed from is known by now.
  return removeDeadNodes(graph)
}
