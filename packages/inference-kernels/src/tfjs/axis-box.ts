// SPDX-License-Identifier: Apache-2.0
import { util } from '@tensorflow/tfjs-core'

/** A shape as three dimensions: all before an axis, the axis, all after it. */
export interface AxisBox {
  readonly outer: number
  readonly size: number
  readonly inner: number
}

export function boxAround(shape: readonly number[], axis: number): AxisBox {
  const [size = 1] = shape.slice(axis, axis + 1)
  return {
    outer: util.sizeFromShape(shape.slice(0, axis)),
    size,
    inner: util.sizeFromShape(shape.slice(axis + 1)),
  }
}
