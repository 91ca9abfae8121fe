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

export function requireRank(calls: OnnxCalls, filter: Value, rank: number): void {
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
