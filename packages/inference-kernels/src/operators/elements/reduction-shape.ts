// SPDX-License-Identifier: Apache-2.0
import { normalAxes, rowMajorStrides } from '../support.ts'

/** Axes that a reduction goes over: those given, or all, or, with `noop_with_empty_axes`, none. */
export function reducedAxes(axes: readonly number[], rank: number, isNoop: boolean): readonly number[] {
  if (axes.length > 0) return normalAxes(axes, rank)
  return isNoop ? [] : Array.from({ length: rank }, (_, axis) => axis)
}

/** Dims of the result: reduced ones are 1 or gone. */
export function reducedDims(dims: readonly number[], axes: readonly number[], keepdims: boolean): number[] {
  return dims.flatMap((dim, axis) => (!axes.includes(axis) ? [dim] : keepdims ? [1] : []))
}

/** For each dimension of the input how far its elements are apart in the result: 0 along the reduced ones. */
export function reducedStrides(dims: readonly number[], axes: readonly number[]): number[] {
  const strides = rowMajorStrides(reducedDims(dims, axes, true))
  return strides.map((stride, axis) => (axes.includes(axis) ? 0 : stride))
}
