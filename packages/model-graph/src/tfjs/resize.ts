// SPDX-License-Identifier: Apache-2.0
import { formatDims } from '../graph/dims.ts'
import type { Value } from '../graph/graph.ts'
import type { Pair } from './images.ts'
import type { OnnxCalls } from './onnx-calls.ts'

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
