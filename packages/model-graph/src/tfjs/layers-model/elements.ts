// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import { leakyRelu } from '../activations.ts'
import type { Layer, LayerImporter, LayerTable } from './layer.ts'

/** What only matters while a model is trained. */
const identity: LayerImporter = ({ x }) => x

function relu(layer: Layer): Value {
  const { config } = layer
  if (config.number('threshold', 0) !== 0) layer.unsupported('threshold is not 0')
  const slope = config.number('negative_slope', 0)
  const rectified = slope === 0 ? layer.call('Relu', [layer.x]) : leakyRelu(layer, layer.x, slope)
  if (!config.has('max_value')) return rectified
  const bound = layer.scalar(config.number('max_value'))
  return layer.call('Clip', [rectified, slope === 0 ? layer.scalar(0) : null, bound])
}

function leaky(layer: Layer): Value {
  const { config } = layer
  return leakyRelu(layer, layer.x, config.number('alpha', config.number('negative_slope', 0.3)))
}

function prelu(layer: Layer): Value {
  return layer.call('PRelu', [layer.x, layer.weight('alpha', layer.x.dims.length - 1)])
}

function elu(layer: Layer): Value {
  return layer.call('Elu', [layer.x], { alpha: { float: layer.config.number('alpha', 1) } })
}

function thresholded(layer: Layer): Value {
  return layer.call('ThresholdedRelu', [layer.x], { alpha: { float: layer.config.number('theta', 1) } })
}

function softmax(layer: Layer): Value {
  return layer.call('Softmax', [layer.x], { axis: layer.config.integer('axis', -1) })
}

function rescaling(layer: Layer): Value {
  const scaled = layer.call('Mul', [
    layer.cast(layer.x, 'float32'),
    layer.scalar(layer.config.number('scale')),
  ])
  return layer.call('Add', [scaled, layer.scalar(layer.config.number('offset', 0))])
}

export const elementLayers: LayerTable = {
  Activation: (layer) => layer.activated(layer.x),
  ActivityRegularization: identity,
  AlphaDropout: identity,
  Dropout: identity,
  ELU: elu,
  GaussianDropout: identity,
  GaussianNoise: identity,
  LeakyReLU: leaky,
  PReLU: prelu,
  ReLU: relu,
  Rescaling: rescaling,
  Softmax: softmax,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  ThresholdedReLU: thresholded,
}
