// SPDX-License-Identifier: Apache-2.0
import { product } from '../support.ts'

/** A tensor seen along one axis: element i of the axis lies at (outer · axisCount + i) · innerCount + inner. */
export interface AxisBox {
  readonly outerCount: number
  readonly axisCount: number
  readonly innerCount: number
}

/** @param axis 0 … rank-1 */
export function axisBox(dims: readonly number[], axis: number): AxisBox {
  return {
    outerCount: product(dims.slice(0, axis)),
    axisCount: dims[axis] as number,
    innerCount: product(dims.slice(axis + 1)),
  }
}
