// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../../errors.ts'
import type { ConstantTensor } from '../../graph/constant.ts'
import type { Graph, Value } from '../../graph/graph.ts'
import { refuseIssues } from '../../onnx/issues.ts'
import type { Fields } from '../fields.ts'
import { malformed } from '../fields.ts'
import { inputValue } from '../inputs.ts'
import { sourceFacts } from '../source-facts.ts'
import { parseRefs } from './functional.ts'
import { type LayerInput, layerInput } from './layer-input.ts'
import { isChain, isModel, layerName, layersOf } from './model-layers.ts'
import { kerasLayers } from './registry.ts'
import { LayersWalk, type ModelOutput } from './walk.ts'
import { WeightNames } from './weight-names.ts'

/** Inputs of the whole model, in order. */
function modelInputs(model: Fields): readonly LayerInput[] {
  const layers = layersOf(model)
  const [first] = layers
  if (first === undefined) throw new ModelError('MODEL_GRAPH_INVALID', 'the model has no layers')
  if (isChain(model)) {
    const config = model.get('config')
    return [
      layerInput(first, Array.isArray(config) ? undefined : model.object('config').get('build_input_shape')),
    ]
  }
  const byName = new Map(layers.map((it) => [layerName(it), it]))
  return parseRefs(model.object('config').get('input_layers'), 'input_layers').map(({ layer: name }) => {
    const layer = byName.get(name)
    if (layer !== undefined) return layerInput(layer)
    throw new ModelError('MODEL_VALUE_UNDEFINED', `there is no input layer ${quote(name)}`)
  })
}

/** Outputs go by the layers that give them; further ones of a layer are numbered. */
function namedOutputs(outputs: readonly ModelOutput[]): Graph['outputs'] {
  const counts = new Map<string, number>()
  return outputs.map(({ layer, value }) => {
    const count = counts.get(layer) ?? 0
    counts.set(layer, count + 1)
    return { name: count === 0 ? layer : `${layer}:${count}`, value }
  })
}

/**
 * @param topology the field `modelTopology`
 * @throws ModelError any `MODEL_*` code
 */
export async function importLayersModel(
  topology: Fields,
  weights: ReadonlyMap<string, ConstantTensor>,
  symbols: Readonly<Record<string, number>>,
): Promise<Graph> {
  const model = topology.has('model_config') ? topology.object('model_config') : topology
  if (!isModel(model)) malformed(`class ${quote(model.string('class_name'))} is not a model of layers`)
  const run = new LayersWalk(new WeightNames(weights))
  const inputs = modelInputs(model).map(
    ({ name, dtype, dims }): Value => inputValue(run.builder, name, dtype, dims, symbols),
  )
  if (new Set(inputs.map(({ name }) => name)).size !== inputs.length) {
    throw new ModelError('MODEL_NAME_DUPLICATE', 'two inputs have the same name')
  }
  const outputs = run.model(model, inputs, [''])
  refuseIssues(run.issues, ['InputLayer', ...kerasLayers.keys()])
  if (outputs === null) throw new TypeError('an unsupported layer was not reported')
  const source = sourceFacts(run.classNames, weights.values())
  return { name: '', inputs, outputs: namedOutputs(outputs), nodes: run.builder.nodes, source }
}
