// SPDX-License-Identifier: Apache-2.0
import { splatConstant } from '../../graph/constant.ts'
import type { Value } from '../../graph/graph.ts'
import { batchNorm } from '../batch-norm.ts'
import type { Layer, LayerTable } from './layer.ts'

function dense(layer: Layer): Value {
  const product = layer.call('MatMul', [layer.x, layer.weight('kernel', 2)])
  const bias = layer.bias()
  return layer.activated(bias === null ? product : layer.call('Add', [product, bias]))
}

function embedding(layer: Layer): Value {
  if (layer.config.flag('mask_zero', false)) layer.unsupported('mask_zero is true: masks are not supported')
  return layer.call('Gather', [layer.weight('embeddings', 2), layer.cast(layer.x, 'int32')], { axis: 0 })
}

/** Axes of a normalization: one, or a list of them. */
function axesOf(layer: Layer): readonly number[] {
  const { config } = layer
  const given = Array.isArray(config.get('axis')) ? config.integers('axis') : [config.integer('axis', -1)]
  return given.map((axis) => layer.axis(axis, layer.x.dims.length)).sort((a, b) => a - b)
}

function batchNormalization(layer: Layer): Value {
  const [axis, ...others] = axesOf(layer)
  if (axis === undefined || others.length > 0) layer.unsupported('it normalizes along several axes')
  const { config } = layer
  const parameters = {
    scale: layer.vector('gamma', config.flag('scale', true)),
    offset: layer.vector('beta', config.flag('center', true)),
    mean: layer.weight('moving_mean', 1),
    variance: layer.weight('moving_variance', 1),
    epsilon: config.number('epsilon', 1e-3),
  }
  return batchNorm(layer, layer.x, parameters, axis)
}

function layerNormalization(layer: Layer): Value {
  const { x, config } = layer
  const axes = axesOf(layer)
  const first = axes[0] ?? layer.invalid('axis is empty')
  if (axes.length !== x.dims.length - first) layer.unsupported('it does not normalize the last dimensions')
  const dims = axes.map((axis) => layer.size(x, axis))
  const scale = config.flag('scale', true)
    ? layer.weight('gamma', dims.length)
    : layer.constant(splatConstant('float32', dims, 1))
  const bias = config.flag('center', true) ? layer.weight('beta', dims.length) : null
  return layer.call('LayerNormalization', [x, scale, bias], {
    axis: first,
    epsilon: { float: config.number('epsilon', 1e-3) },
  })
}

function flatten(layer: Layer): Value {
  const { x } = layer
  const rank = x.dims.length
  const isMoved = layer.format() === 'NCHW' && rank > 2
  const inner = Array.from({ length: rank - 2 }, (_, i) => i + 2)
  return layer.call('Flatten', [isMoved ? layer.transpose(x, [0, ...inner, 1]) : x], { axis: 1 })
}

function reshape(layer: Layer): Value {
  // The dimension that takes what is left is -1, or null.
  const target = layer.config.list('target_shape').map((dim) => {
    if (dim === null || dim === -1) return -1
    const isSize = Number.isSafeInteger(dim) && (dim as number) > 0
    return isSize ? (dim as number) : layer.invalid('target_shape is not a list of positive integers')
  })
  return layer.reshape(layer.x, [0, ...target])
}

function permute(layer: Layer): Value {
  return layer.transpose(layer.x, [0, ...layer.config.integers('dims')])
}

function repeatVector(layer: Layer): Value {
  const [count] = layer.sizes('n', 1) as [number]
  return layer.call('Tile', [layer.unsqueeze(layer.x, [1]), layer.integers([1, count, 1])])
}

export const coreLayers: LayerTable = {
  BatchNormalization: batchNormalization,
  Dense: dense,
  Embedding: embedding,
  Flatten: flatten,
  LayerNormalization: layerNormalization,
  Permute: permute,
  RepeatVector: repeatVector,
  Reshape: reshape,
}
