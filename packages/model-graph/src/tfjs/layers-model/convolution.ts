// SPDX-License-Identifier: Apache-2.0
import { reshapedConstant } from '../../graph/constant.ts'
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import { conv2d, depthwiseConv2d, type WindowOptions } from '../images.ts'
import { conv2dTranspose } from '../transposed-convolution.ts'
import type { Layer, LayerTable } from './layer.ts'

function window2d(layer: Layer): WindowOptions {
  return {
    format: layer.format(),
    strides: layer.pair('strides', 1),
    dilations: layer.pair('dilation_rate', 1),
    padding: layer.word('padding', ['VALID', 'SAME'], 'VALID'),
  }
}

/** A signal [N,L,C] as an image of height 1, [N,1,L,C]; the result of a step on it is brought back. */
export function asImage(layer: Layer, x: Value, step: (image: Value) => Value): Value {
  if (x.dims.length !== 3) layer.mismatch(`a signal has three dimensions, not ${formatDims(x.dims)}`)
  if (layer.format() === 'NCHW') layer.unsupported('channels come first')
  return layer.squeeze(step(layer.unsqueeze(x, [1])), [1])
}

function convolution2d(layer: Layer): Value {
  return layer.activated(conv2d(layer, layer.x, layer.weight('kernel', 4), layer.bias(), window2d(layer)))
}

/** Causal padding goes before the signal alone. */
function convolution1d(layer: Layer): Value {
  const kernel = layer.weight('kernel', 3).constant
  const filter = layer.constant(reshapedConstant(kernel, [1, ...kernel.dims]))
  const [stride] = layer.sizes('strides', 1, 1) as [number]
  const [dilation] = layer.sizes('dilation_rate', 1, 1) as [number]
  const padding = layer.word('padding', ['VALID', 'SAME', 'CAUSAL'], 'VALID')
  const before = ((kernel.dims[0] as number) - 1) * dilation
  const result = asImage(layer, layer.x, (image) =>
    conv2d(layer, image, filter, layer.bias(), {
      format: 'NHWC',
      strides: [1, stride],
      dilations: [1, dilation],
      padding: padding === 'CAUSAL' ? [0, before, 0, 0] : padding,
    }),
  )
  return layer.activated(result)
}

function depthwise(layer: Layer): Value {
  const filter = layer.weight('depthwise_kernel', 4)
  return layer.activated(depthwiseConv2d(layer, layer.x, filter, layer.bias(), window2d(layer)))
}

function separable(layer: Layer): Value {
  const options = window2d(layer)
  const spread = depthwiseConv2d(layer, layer.x, layer.weight('depthwise_kernel', 4), null, options)
  const filter = layer.weight('pointwise_kernel', 4)
  const mixed = conv2d(layer, spread, filter, layer.bias(), {
    format: options.format,
    strides: [1, 1],
    padding: 'VALID',
  })
  return layer.activated(mixed)
}

function transposed(layer: Layer): Value {
  if (layer.config.has('output_padding')) layer.unsupported('output_padding is given')
  const filter = layer.weight('kernel', 4)
  return layer.activated(conv2dTranspose(layer, layer.x, filter, layer.bias(), window2d(layer), null))
}

export const convolutionLayers: LayerTable = {
  Conv1D: convolution1d,
  Conv2D: convolution2d,
  Conv2DTranspose: transposed,
  Convolution2D: convolution2d,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
}
