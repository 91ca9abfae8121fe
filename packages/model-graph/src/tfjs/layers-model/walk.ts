// SPDX-License-Identifier: Apache-2.0
import { ModelError, type ModelIssue, quote } from '../../errors.ts'
import type { Value } from '../../graph/graph.ts'
import { modelLimits } from '../../limits.ts'
import { GraphBuilder } from '../../ops/graph-builder.ts'
import { UnsupportedNode } from '../../ops/unsupported.ts'
import type { Fields } from '../fields.ts'
import { keyOf, neededUses, parseRefs, type TensorRef } from './functional.ts'
import { Layer, type LayerContext } from './layer.ts'
import { isChain, isModel, layerName, layersOf } from './model-layers.ts'
import { kerasLayers } from './registry.ts'
import type { WeightNames } from './weight-names.ts'

/** What a use of a layer gives; null where it could not be imported, which has been reported. */
type Results = readonly Value[] | null

/** Thrown where a model within a model could not be imported, after its layers have been reported. */
class ReportedLayer extends Error {}

export interface ModelOutput {
  /** The layer that gives it. */
  readonly layer: string
  readonly value: Value
}

/** One walk over the layers of a model and of the models within it. */
export class LayersWalk implements LayerContext {
  readonly builder = new GraphBuilder()
  readonly issues: ModelIssue[] = []
  /** Class of each layer that was imported. */
  readonly classNames: string[] = []
  readonly weights: WeightNames
  /** Uses of layers, and of models within models: each of these may be used several times, with all that is in it. */
  #useCount = 0
  /** By the configuration of a model. */
  readonly #uses = new Map<unknown, ReturnType<typeof neededUses>>()

  constructor(weights: WeightNames) {
    this.weights = weights
  }

  apply(layer: Fields, inputs: readonly Value[], path: readonly string[]): readonly Value[] {
    const className = layer.string('class_name')
    const ownPath = [...path, layerName(layer)]
    this.#countUse()
    if (isModel(layer)) {
      const outputs = this.model(layer, inputs, ownPath)
      if (outputs === null) throw new ReportedLayer()
      return outputs.map(({ value }) => value)
    }
    const importer = kerasLayers.get(className)
    if (importer === undefined) throw new UnsupportedNode('the layer is not supported')
    this.classNames.push(className)
    const config = layer.object('config')
    const result = importer(new Layer(this, { className, path: ownPath, config, inputs }))
    return Array.isArray(result) ? (result as readonly Value[]) : [result as Value]
  }

  #countUse(): void {
    this.#useCount++
    if (this.#useCount > modelLimits.nodeCount) {
      throw new ModelError('MODEL_TOO_LARGE', `the model has more than ${modelLimits.nodeCount} layers`)
    }
  }

  /** Outputs of a model on given inputs; null where a layer could not be imported, which has been reported. */
  model(model: Fields, inputs: readonly Value[], path: readonly string[]): readonly ModelOutput[] | null {
    return isChain(model) ? this.#chain(model, inputs, path) : this.#functional(model, inputs, path)
  }

  /** @param extras names of arguments that the layer is given besides its inputs */
  #attempt(
    layer: Fields,
    inputs: readonly Value[],
    path: readonly string[],
    extras: readonly string[] = [],
  ): Results {
    try {
      if (extras.length > 0)
        throw new UnsupportedNode(`argument ${extras.map(quote).join(', ')} is not supported`)
      return this.apply(layer, inputs, path)
    } catch (error) {
      if (error instanceof ReportedLayer) return null
      if (!(error instanceof UnsupportedNode)) throw error
      this.issues.push({
        code: error.code,
        node: [...path.slice(1), layerName(layer)].join('/'),
        operator: layer.string('class_name'),
        domain: 'keras',
        opset: 0,
        reason: error.message,
      })
      return null
    }
  }

  #chain(model: Fields, inputs: readonly Value[], path: readonly string[]): readonly ModelOutput[] | null {
    let values: Results = inputs
    let last = path.at(-1) ?? ''
    for (const layer of layersOf(model)) {
      if (layer.string('class_name') === 'InputLayer') {
        this.#countUse()
        continue
      }
      values = this.#attempt(layer, values, path)
      if (values === null) return null
      last = layerName(layer)
    }
    return values.map((value) => ({ layer: last, value }))
  }

  #functional(
    model: Fields,
    inputs: readonly Value[],
    path: readonly string[],
  ): readonly ModelOutput[] | null {
    const config = model.object('config')
    const inputRefs = parseRefs(config.get('input_layers'), 'input_layers')
    if (inputRefs.length !== inputs.length) {
      const detail = `${quote(path.at(-1) ?? '')} takes ${inputRefs.length} inputs, is given ${inputs.length}`
      throw new ModelError('MODEL_GRAPH_INVALID', detail)
    }
    const results = new Map<string, Results>()
    for (const [i, ref] of inputRefs.entries()) results.set(keyOf(ref), [inputs[i] as Value])
    const key = model.get('config')
    const { uses, outputs: outputRefs } = this.#uses.get(key) ?? neededUses(config)
    this.#uses.set(key, { uses, outputs: outputRefs })
    for (const use of uses) {
      if (results.has(use.key)) continue
      const operands = use.inputs.map((ref) => resultAt(results, ref))
      if (operands.includes(null)) {
        results.set(use.key, null)
        continue
      }
      results.set(use.key, this.#attempt(use.layer, operands as readonly Value[], path, use.extras))
    }
    const outputs = outputRefs.map((ref) => ({ layer: ref.layer, value: resultAt(results, ref) }))
    return outputs.some(({ value }) => value === null) ? null : (outputs as readonly ModelOutput[])
  }
}

/** @throws ModelError `MODEL_VALUE_UNDEFINED` */
function resultAt(results: ReadonlyMap<string, Results>, ref: TensorRef): Value | null {
  const values = results.get(keyOf(ref))
  if (values === null) return null
  const value = values?.[ref.tensor]
  if (value !== undefined) return value
  const detail = `output ${ref.tensor} of layer ${quote(ref.layer)} does not exist`
  throw new ModelError('MODEL_VALUE_UNDEFINED', detail)
}
