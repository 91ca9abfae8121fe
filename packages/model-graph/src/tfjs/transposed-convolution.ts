// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'
import { inChannelsFirst, type Pair, requireRank, type WindowOptions } from './images.ts'
import type { OnnxCalls } from './onnx-calls.ts'

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
