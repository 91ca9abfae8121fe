// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../errors.ts'
import type { Value } from '../../graph/graph.ts'
import { batchNorm } from '../batch-norm.ts'
import {
  conv2d,
  type DataFormat,
  depthwiseConv2d,
  inChannelsFirst,
  type Padding,
  type Pair,
  pool2d,
  type WindowOptions,
} from '../images.ts'
import { resize } from '../resize.ts'
import { conv2dTranspose } from '../transposed-convolution.ts'
import { fusedSteps } from './fused.ts'
import { elementsOf } from './lists.ts'
import type { TfImporter, TfOp, TfTable } from './op.ts'

/** Height and width of a list with an entry for each dimension; those of batch and channels are 1. */
function spatial(op: TfOp, name: string, format: DataFormat): Pair {
  const given = op.attributes.ints(name) ?? [1, 1, 1, 1]
  const [n, h, w, c] = format === 'NHWC' ? given : [given[0], given[2], given[3], given[1]]
  if (given.length !== 4 || n !== 1 || c !== 1 || h === undefined || w === undefined) {
    op.unsupported(`${name} is [${given.join(', ')}]`)
  }
  return [h, w]
}

function readPadding(op: TfOp, format: DataFormat): Padding {
  const padding = op.attributes.string('padding', 'VALID')
  if (padding === 'SAME' || padding === 'VALID') return padding
  const pads = op.attributes.ints('explicit_paddings') ?? []
  if (padding !== 'EXPLICIT' || pads.length !== 8) op.unsupported(`padding ${quote(padding)}`)
  const at = format === 'NHWC' ? 2 : 4
  const [top, bottom, left, right] = pads.slice(at, at + 4) as [number, number, number, number]
  return [top, left, bottom, right]
}

function readWindow(op: TfOp): WindowOptions {
  const format = op.format()
  return {
    format,
    strides: spatial(op, 'strides', format),
    dilations: spatial(op, 'dilations', format),
    padding: readPadding(op, format),
  }
}

const channelAxis = (format: DataFormat) => (format === 'NHWC' ? 3 : 1)

/** A convolution, and the steps that are fused with it. */
const convolution =
  (convolve: typeof conv2d): TfImporter =>
  (op) => {
    const options = readWindow(op)
    const { bias, finish } = fusedSteps(op, 2)
    const result = convolve(op, op.input(0), op.input(1), bias, options)
    return finish(result, channelAxis(options.format))
  }

/** Inputs: the size of the result, the filter, the image. */
function backpropInput(op: TfOp): Value {
  const options = readWindow(op)
  const sizes = elementsOf(op, op.input(0))
  const at = options.format === 'NHWC' ? 1 : 2
  const outputSize = sizes.slice(at, at + 2).map((it) => {
    return typeof it === 'number' ? it : op.unsupported('height and width of the result must be known')
  })
  if (sizes.length !== 4) op.mismatch('the size of the result is not that of an image')
  return conv2dTranspose(op, op.input(2), op.input(1), null, options, outputSize as unknown as Pair)
}

const pool =
  (kind: 'MaxPool' | 'AveragePool'): TfImporter =>
  (op) => {
    const { dilations: _, ...options } = readWindow(op)
    return pool2d(op, kind, op.input(0), spatial(op, 'ksize', options.format), options)
  }

function fusedBatchNorm(op: TfOp): Value {
  if (op.attributes.flag('is_training', true)) op.unsupported('it trains (is_training is true)')
  const parameters = {
    scale: op.input(1),
    offset: op.input(2),
    mean: op.input(3),
    variance: op.input(4),
    epsilon: op.attributes.float('epsilon', 1e-4),
  }
  return batchNorm(op, op.input(0), parameters, channelAxis(op.format()))
}

function localResponseNormalization(op: TfOp): Value {
  const size = 2 * op.attributes.int('depth_radius', 5) + 1
  return inChannelsFirst(op, op.input(0), 'NHWC', (image) =>
    op.call('LRN', [image], {
      size,
      bias: { float: op.attributes.float('bias', 1) },
      // ONNX divides by the size.
      alpha: { float: op.attributes.float('alpha', 1) * size },
      beta: { float: op.attributes.float('beta', 0.5) },
    }),
  )
}

const resized =
  (mode: 'nearest' | 'linear'): TfImporter =>
  (op) => {
    const coordinates = op.attributes.flag('align_corners')
      ? 'align_corners'
      : op.attributes.flag('half_pixel_centers')
        ? 'half_pixel'
        : 'asymmetric'
    // What lies between integers is no integer.
    const x = mode === 'linear' ? op.cast(op.input(0), 'float32') : op.input(0)
    return resize(op, x, { sizes: op.input(1) }, { mode, coordinates })
  }

/** Operators on images. */
export const windowOps: TfTable = {
  AvgPool: pool('AveragePool'),
  Conv2D: convolution(conv2d),
  Conv2DBackpropInput: backpropInput,
  DepthwiseConv2dNative: convolution(depthwiseConv2d),
  FusedBatchNorm: fusedBatchNorm,
  FusedBatchNormV2: fusedBatchNorm,
  FusedBatchNormV3: fusedBatchNorm,
  FusedDepthwiseConv2dNative: convolution(depthwiseConv2d),
  LRN: localResponseNormalization,
  MaxPool: pool('MaxPool'),
  ResizeBilinear: resized('linear'),
  ResizeNearestNeighbor: resized('nearest'),
  _FusedConv2D: convolution(conv2d),
}
