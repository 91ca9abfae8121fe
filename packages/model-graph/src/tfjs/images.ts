// SPDX-License-Identifier: Apache-2.0
import { reshapedConstant } from '../graph/constant.ts'
import { formatDims } from '../graph/dims.ts'
import type { Value } from '../graph/graph.ts'
import type { CallAttribute, OnnxCalls } from './onnx-calls.ts'

export type Pair = readonly [height: number, width: number]

/** SAME and VALID, or rows and columns to add. */
export type Padding = 'SAME' | 'VALID' | readonly [top: number, left: number, bottom: number, right: number]

/** Where channels stand in an image of four dimensions. */
export type DataFormat = 'NHWC' | 'NCHW'

export interface WindowOptions {
  readonly strides: Pair
  readonly dilations?: Pair
  readonly padding: Padding
  readonly format: DataFormat
}

/** Runs a step on an image as [N,C,H,W], and brings its result back. */
export function inChannelsFirst(
  calls: OnnxCalls,
  x: Value,
  format: DataFormat,
  step: (image: Value) => Value,
): Value {
  if (x.dims.length !== 4) calls.mismatch(`an image has four dimensions, not ${formatDims(x.dims)}`)
  if (format === 'NCHW') return step(x)
  return calls.transpose(step(calls.transpose(x, [0, 3, 1, 2])), [0, 2, 3, 1])
}

function windowAttributes({ strides, dilations, padding }: WindowOptions): Record<string, CallAttribute> {
  const pads: Record<string, CallAttribute> =
    padding === 'SAME' ? { auto_pad: 'SAME_UPPER' } : padding === 'VALID' ? {} : { pads: padding }
  return { strides, ...(dilations === undefined ? {} : { dilations }), ...pads }
}

function requireRank(calls: OnnxCalls, filter: Value, rank: number): void {
  if (filter.dims.length !== rank) calls.mismatch(`the filter has shape ${formatDims(filter.dims)}`)
}

/** @param filter [height, width, channels of a group, outputs]: groups follow from the channels of the image */
export function conv2d(
  calls: OnnxCalls,
  x: Value,
  filter: Value,
  bias: Value | null,
  options: WindowOptions,
): Value {
  requireRank(calls, filter, 4)
  return inChannelsFirst(calls, x, options.format, (image) => {
    const groups = calls.size(image, 1) / calls.size(filter, 2)
    if (!Number.isInteger(groups)) {
      calls.mismatch(`a filter of shape ${formatDims(filter.dims)} on an image ${formatDims(image.dims)}`)
    }
    const weights = calls.transpose(filter, [3, 2, 0, 1])
    return calls.call('Conv', [image, weights, bias], { ...windowAttributes(options), group: groups })
  })
}

/** @param filter [height, width, channels, multiplier] */
export function depthwiseConv2d(
  calls: OnnxCalls,
  x: Value,
  filter: Value,
  bias: Value | null,
  options: WindowOptions,
): Value {
  requireRank(calls, filter, 4)
  const [height, width, channels, multiplier] = [0, 1, 2, 3].map((axis) => calls.size(filter, axis)) as [
    number,
    number,
    number,
    number,
  ]
  const dims = [channels * multiplier, 1, height, width]
  const ordered = calls.transpose(filter, [2, 3, 0, 1])
  const weights =
    ordered.constant === null
      ? calls.reshape(ordered, dims)
      : calls.constant(reshapedConstant(ordered.constant, dims))
  return inChannelsFirst(calls, x, options.format, (image) =>
    calls.call('Conv', [image, weights, bias], { ...windowAttributes(options), group: channels }),
  )
}

/**
 * The transpose of a convolution.
 * @param filter [height, width, outputs, channels]
 * @param outputSize height and width; null: as many as the strides make of the image
 */
export function conv2dTranspose(
  calls: OnnxCalls,
  x: Value,
  filter: Value,
  bias: Value | null,
  options: WindowOptions,
  outputSize: Pair | null,
): Value {
  requireRank(calls, filter, 4)
  return inChannelsFirst(calls, x, options.format, (image) => {
    const axes = [0, 1].map((axis) => transposedAxis(calls, image, filter, options, outputSize, axis)) as [
      TransposedAxis,
      TransposedAxis,
    ]
    const [vertical, horizontal] = axes
    return calls.call('ConvTranspose', [image, calls.transpose(filter, [3, 2, 0, 1]), bias], {
      strides: options.strides,
      pads: [vertical.before, horizontal.before, vertical.after, horizontal.after],
      output_padding: [vertical.extra, horizontal.extra],
    })
  })
}

interface TransposedAxis {
  readonly before: number
  readonly after: number
  /** Rows that no window reaches, below or to the right. */
  readonly extra: number
}

function transposedAxis(
  calls: OnnxCalls,
  image: Value,
  filter: Value,
  { strides, dilations, padding }: WindowOptions,
  outputSize: Pair | null,
  axis: number,
): TransposedAxis {
  if (dilations?.some((it) => it !== 1)) calls.unsupported('a transposed convolution with dilations')
  if (typeof padding !== 'string') calls.unsupported('a transposed convolution with padding of its own')
  const kernel = calls.size(filter, axis)
  const stride = strides[axis] as number
  // What the windows cover beyond what is asked for; it does not depend on the size of the image where that is not given.
  let surplus = padding === 'SAME' ? kernel - stride : Math.min(0, kernel - stride)
  if (outputSize !== null) {
    const size = calls.size(image, axis + 2)
    const output = outputSize[axis] as number
    const forward =
      padding === 'SAME' ? Math.ceil(output / stride) : Math.ceil((output - kernel + 1) / stride)
    if (forward !== size) calls.mismatch(`an image of ${size} cannot become one of ${output}`)
    surplus = (size - 1) * stride + kernel - output
  }
  const total = Math.max(0, surplus)
  const before = padding === 'SAME' ? Math.floor(total / 2) : 0
  return { before, after: total - before, extra: Math.max(0, -surplus) }
}

export function pool2d(
  calls: OnnxCalls,
  kind: 'MaxPool' | 'AveragePool',
  x: Value,
  kernel: Pair,
  options: WindowOptions,
): Value {
  return inChannelsFirst(calls, x, options.format, (image) =>
    calls.call(kind, [image], { kernel_shape: kernel, ...windowAttributes(options) }),
  )
}

/** The one value that a whole channel is pooled to: [N,1,1,C], or as the format has it. */
export function globalPool2d(
  calls: OnnxCalls,
  kind: 'GlobalMaxPool' | 'GlobalAveragePool',
  x: Value,
  format: DataFormat,
): Value {
  return inChannelsFirst(calls, x, format, (image) => calls.call(kind, [image]))
}

/** `scale (x - mean) / √(variance + epsilon) + offset` along the last axis, or the second one. */
export function batchNorm(
  calls: OnnxCalls,
  x: Value,
  parameters: {
    readonly scale: Value | null
    readonly offset: Value | null
    readonly mean: Value
    readonly variance: Value
    readonly epsilon: number
  },
  axis: number,
): Value {
  const { scale, offset, mean, variance, epsilon } = parameters
  if (axis >= x.dims.length) calls.mismatch(`${formatDims(x.dims)} has no channels in dimension ${axis}`)
  const deviation = calls.call('Sqrt', [calls.call('Add', [variance, calls.scalar(epsilon)])])
  const factor =
    scale === null ? calls.call('Reciprocal', [deviation]) : calls.call('Div', [scale, deviation])
  const shift = calls.call('Mul', [mean, factor])
  const bias = offset === null ? calls.call('Neg', [shift]) : calls.call('Sub', [offset, shift])
  const along = (vector: Value) => {
    const trailing = x.dims.length - 1 - axis
    return trailing === 0 ? vector : calls.reshape(vector, [-1, ...new Array<number>(trailing).fill(1)])
  }
  return calls.call('Add', [calls.call('Mul', [x, along(factor)]), along(bias)])
}

/** Sizes of height and width, of an image [N,H,W,C], brought to others. */
export function resize(
  calls: OnnxCalls,
  x: Value,
  target: { readonly sizes: Value } | { readonly scales: Pair },
  options: {
    readonly mode: 'nearest' | 'linear'
    readonly coordinates: 'asymmetric' | 'half_pixel' | 'align_corners'
  },
): Value {
  if (x.dims.length !== 4) calls.mismatch(`an image has four dimensions, not ${formatDims(x.dims)}`)
  const { mode, coordinates } = options
  const nearest =
    coordinates === 'asymmetric' ? { nearest_mode: 'floor' } : { nearest_mode: 'round_prefer_ceil' }
  const attributes = {
    mode,
    coordinate_transformation_mode: coordinates,
    ...(mode === 'nearest' ? nearest : {}),
  }
  return 'sizes' in target
    ? calls.call('Resize', [x, null, null, calls.cast(target.sizes, 'int64')], {
        ...attributes,
        axes: [1, 2],
      })
    : calls.call('Resize', [x, null, calls.floats(target.scales)], { ...attributes, axes: [1, 2] })
}
