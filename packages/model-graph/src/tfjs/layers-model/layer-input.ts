// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { ModelError, quote } from '../../errors.ts'
import type { Fields } from '../fields.ts'
import { malformed } from '../fields.ts'
import { isModel, layerName, layersOf } from './model-layers.ts'

/** What a layer says of the input of a model that it is the first one of. */
export interface LayerInput {
  readonly name: string
  readonly dtype: DType
  /** -1 where a dimension is not known. */
  readonly dims: readonly number[]
}

function readDims(value: unknown, where: string): readonly number[] | null {
  if (value === undefined) return null
  if (!Array.isArray(value)) return malformed(`the shape of ${where} is not a list`)
  return value.map((dim) => {
    if (dim === null) return -1
    return Number.isSafeInteger(dim) && dim > 0
      ? (dim as number)
      : malformed(`the shape of ${where} is not one`)
  })
}

function readDtype(config: Fields, where: string): DType {
  const name = config.get('input_dtype') ?? config.get('dtype') ?? 'float32'
  switch (typeof name === 'string' ? name : 'float32') {
    case 'float32':
    case 'float16':
    case 'float64':
      return 'float32'
    case 'int32':
    case 'int64':
    case 'uint8':
      return 'int32'
    case 'bool':
      return 'bool'
    default:
      throw new ModelError('MODEL_DTYPE_UNSUPPORTED', `${where} has elements of type ${quote(String(name))}`)
  }
}

/** The shape that a layer says its input has, if it does. */
function ownDims(layer: Fields, config: Fields, where: string): readonly number[] | null {
  const given = readDims(config.get('batch_input_shape') ?? config.get('batch_shape'), where)
  if (given !== null || layer.string('class_name') !== 'Embedding') return given
  return [-1, config.integer('input_length', -1)]
}

/**
 * The input of an InputLayer, or of the first layer of a model without one.
 * @param fallback a shape that the model itself gives
 * @throws ModelError `MODEL_SHAPE_UNKNOWN`, `MODEL_DTYPE_UNSUPPORTED`, `MODEL_TFJS_MALFORMED`
 */
export function layerInput(layer: Fields, fallback?: unknown): LayerInput {
  const config = layer.object('config')
  const name = layerName(layer)
  const where = `layer ${quote(name)}`
  if (isModel(layer)) {
    const [first] = layersOf(layer)
    if (first !== undefined) return layerInput(first, config.get('build_input_shape') ?? fallback)
  }
  const dims = ownDims(layer, config, where) ?? readDims(fallback, where)
  if (dims === null) {
    throw new ModelError(
      'MODEL_SHAPE_UNKNOWN',
      `${where} is the first one and does not say what shape comes in`,
    )
  }
  const isInputLayer = layer.string('class_name') === 'InputLayer'
  return { name: isInputLayer ? name : `${name}_input`, dtype: readDtype(config, where), dims }
}
