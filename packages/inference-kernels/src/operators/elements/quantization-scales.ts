// SPDX-License-Identifier: Apache-2.0
import { mismatch } from '../fault.ts'
import type { OperandType, TensorType } from '../operator.ts'
import { normalAxis, product, requireDtype, showDims } from '../support.ts'
import { axisBox } from './axis-box.ts'

/** Which scale goes with which element. */
export interface ScalePlan {
  readonly outerCount: number
  readonly axisCount: number
  readonly innerCount: number
  /** Elements along the axis that share a scale. */
  readonly blockCount: number
  /** Scales that one step of the outer dimensions goes on. */
  readonly outerStep: number
  readonly axisStep: number
  readonly innerStep: number
}

interface ScaleAttributes {
  readonly axis: number
  readonly block_size: number
}

/**
 * One scale for the tensor, one for each index of `axis`, or one for each block of `block_size` along it.
 * @throws OperatorFault where the scales do not fit
 */
export function planScales(
  x: TensorType,
  scale: TensorType,
  { axis, block_size }: ScaleAttributes,
): ScalePlan {
  const misfit = () => mismatch(`scales ${showDims(scale.dims)} do not go with ${showDims(x.dims)}`)
  if (block_size < 0) mismatch('the block size is negative')
  if (scale.dims.length <= 1 && product(scale.dims) === 1 && block_size === 0) {
    const one = { outerCount: 1, axisCount: 1, innerCount: product(x.dims) }
    return { ...one, blockCount: 1, outerStep: 0, axisStep: 0, innerStep: 0 }
  }
  const along = normalAxis(axis, x.dims.length)
  const box = axisBox(x.dims, along)
  if (block_size === 0) {
    if (scale.dims.length !== 1 || scale.dims[0] !== box.axisCount) misfit()
    return { ...box, blockCount: 1, outerStep: 0, axisStep: 1, innerStep: 0 }
  }
  const expected = x.dims.with(along, Math.ceil(box.axisCount / block_size))
  if (scale.dims.length !== expected.length || expected.some((dim, d) => dim !== scale.dims[d])) misfit()
  const outerStep = (expected[along] as number) * box.innerCount
  return { ...box, blockCount: block_size, outerStep, axisStep: box.innerCount, innerStep: 1 }
}

/** Refuses scales and zero points that do not go together. */
export function checkScales(scale: OperandType, zeroPoint: OperandType | null): void {
  requireDtype(scale.dtype, ['float32'])
  if (zeroPoint === null) return
  const isAlike =
    product(scale.dims) === product(zeroPoint.dims) &&
    (product(scale.dims) === 1 || scale.dims.every((dim, d) => dim === zeroPoint.dims[d]))
  if (!isAlike) mismatch(`scales ${showDims(scale.dims)} and zero points ${showDims(zeroPoint.dims)}`)
}

/** Calls `visit` for each run of elements that share one scale, or whose scales lie one after another. */
export function eachScaleRun(
  plan: ScalePlan,
  visit: (at: number, count: number, scaleAt: number, scaleStep: number) => void,
): void {
  const { outerCount, axisCount, innerCount, blockCount, outerStep, axisStep, innerStep } = plan
  if (innerCount === 0) return
  for (let outer = 0; outer < outerCount; outer++) {
    for (let i = 0; i < axisCount; i++) {
      const scaleAt = outer * outerStep + Math.floor(i / blockCount) * axisStep
      visit((outer * axisCount + i) * innerCount, innerCount, scaleAt, innerStep)
    }
  }
}
