// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../../errors.ts'
import { dependencyOrder } from '../dependency-order.ts'
import { Fields, malformed } from '../fields.ts'
import { isModel, layerName } from './model-layers.ts'

/** One output of one use of a layer. */
export interface TensorRef {
  readonly layer: string
  /** Which use of the layer, where it is used several times. */
  readonly call: number
  readonly tensor: number
}

/** One use of a layer on outputs of others. */
export interface LayerUse {
  readonly key: string
  readonly name: string
  readonly layer: Fields
  readonly inputs: readonly TensorRef[]
  /** Names of arguments that change what the layer does. */
  readonly extras: readonly string[]
}

export const keyOf = ({ layer, call }: { readonly layer: string; readonly call: number }) =>
  `${layer} ${call}`

function parseRef(value: unknown, where: string): TensorRef {
  const [layer, call, tensor] = Array.isArray(value) ? value : []
  const isIndex = (it: unknown): it is number => Number.isSafeInteger(it) && (it as number) >= 0
  if (typeof layer !== 'string' || !isIndex(call) || !isIndex(tensor)) {
    return malformed(`${where} does not name an output of a layer`)
  }
  return { layer, call, tensor }
}

/** A list of references; a single one may stand without the list around it. */
export function parseRefs(value: unknown, where: string): readonly TensorRef[] {
  if (!Array.isArray(value)) return malformed(`${where} is not a list`)
  return typeof value[0] === 'string' ? [parseRef(value, where)] : value.map((it) => parseRef(it, where))
}

function extrasOf(value: unknown, where: string): readonly string[] {
  if (value === undefined || value === null) return []
  const fields = new Fields(value, where)
  // That a layer is not being trained is what is usual.
  return fields
    .names()
    .filter((name) => fields.has(name) && !(name === 'training' && fields.get(name) === false))
}

/** Tensors among the arguments of Keras 3, in order. */
function historyRefs(value: unknown, where: string): readonly TensorRef[] {
  if (Array.isArray(value)) return value.flatMap((it) => historyRefs(it, where))
  if (typeof value !== 'object' || value === null) return []
  const fields = new Fields(value, where)
  if (fields.get('class_name') !== '__keras_tensor__') return []
  return [parseRef(fields.object('config').get('keras_history'), where)]
}

function parseUse(value: unknown, where: string): Pick<LayerUse, 'inputs' | 'extras'> {
  if (!Array.isArray(value)) {
    const fields = new Fields(value, where)
    const inputs = historyRefs(fields.list('args'), where)
    return { inputs, extras: extrasOf(fields.get('kwargs'), where) }
  }
  const entries = typeof value[0] === 'string' ? [value] : value
  return {
    inputs: entries.map((it) => parseRef(it, where)),
    extras: entries.flatMap((it) => extrasOf(Array.isArray(it) ? it[3] : undefined, where)),
  }
}

function usesOf(layer: Fields): readonly LayerUse[] {
  const name = layerName(layer)
  const where = `inbound_nodes of ${quote(name)}`
  const given = layer.list('inbound_nodes', [])
  const uses = given.length === 0 ? [{ inputs: [], extras: [] }] : given.map((it) => parseUse(it, where))
  return uses.map((use, call) => ({ ...use, key: keyOf({ layer: name, call }), name, layer }))
}

/**
 * References that count the uses of each layer from 0. Models within a model may be counted from 1: their first use is then
 * the one that made them, which is not in the file.
 */
function recounted(uses: readonly LayerUse[], outputs: readonly TensorRef[]): (ref: TensorRef) => TensorRef {
  const fromOne = new Set(uses.filter(({ layer }) => isModel(layer)).map(({ name }) => name))
  for (const { layer, call } of [...outputs, ...uses.flatMap(({ inputs }) => inputs)]) {
    if (call === 0) fromOne.delete(layer)
  }
  return (ref) => (fromOne.has(ref.layer) ? { ...ref, call: ref.call - 1 } : ref)
}

/**
 * Uses of layers that outputs depend on, each after those that it reads, and the outputs.
 * @throws ModelError `MODEL_NAME_DUPLICATE`, `MODEL_VALUE_UNDEFINED`, `MODEL_GRAPH_CYCLIC`, `MODEL_TFJS_MALFORMED`
 */
export function neededUses(config: Fields): {
  readonly uses: readonly LayerUse[]
  readonly outputs: readonly TensorRef[]
} {
  const given = config.objects('layers').flatMap(usesOf)
  const givenOutputs = parseRefs(config.get('output_layers'), 'output_layers')
  const recount = recounted(given, givenOutputs)
  const all = given.map((use): LayerUse => ({ ...use, inputs: use.inputs.map(recount) }))
  const byKey = new Map(all.map((use) => [use.key, use]))
  if (byKey.size !== all.length) {
    throw new ModelError('MODEL_NAME_DUPLICATE', 'two layers have the same name')
  }
  const outputs = givenOutputs.map(recount)
  const uses = dependencyOrder(outputs.map(keyOf), {
    find(key, reader) {
      const use = byKey.get(key)
      if (use !== undefined) return use
      throw new ModelError('MODEL_VALUE_UNDEFINED', `${reader} reads ${quote(key)}, which no layer gives`)
    },
    read: ({ inputs }) => inputs.map(keyOf),
    describe: ({ name }) => `layer ${quote(name)}`,
  })
  return { uses, outputs }
}
