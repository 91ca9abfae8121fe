// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { flag } from '../attributes.ts'
import { mismatch, unsupported } from '../fault.ts'
import { defineOperator, type Operand, type OperandType, type Operator } from '../operator.ts'
import { knownNumbers, numbersOf, requireDtype, required, result } from '../support.ts'
import { reducedAxes, reducedDims } from './reduction-shape.ts'

interface ReduceDefinition {
  readonly name: string
  readonly dtypes: readonly DType[]
  /** Whether to reduce over no axis leaves the elements as they are. */
  readonly isNoopPlain: boolean
  run(out: Operand, x: Operand, axes: readonly number[]): void
}

/** Axes from the second input, which may be left out. */
function axesOf(axes: Operand | null | undefined): readonly number[] {
  return axes == null ? [] : numbersOf(axes.data)
}

function axisCountOf(axes: OperandType | null): number {
  if (axes === null) return 0
  if (axes.dims.length !== 1) mismatch('the axes are not a list')
  requireDtype(axes.dtype, ['int64', 'int32'])
  return axes.dims[0] as number
}

/** A reduction along axes that the second input lists. */
export function defineReduce({ name, dtypes, isNoopPlain, run }: ReduceDefinition): Operator {
  return defineOperator({
    name,
    inputCount: [1, 2],
    attributes: { keepdims: flag(true), noop_with_empty_axes: flag(false) },
    contents: [1],
    infer({ inputs, attributes: { keepdims, noop_with_empty_axes } }) {
      const { dtype, dims } = required(inputs, 0)
      const axes = inputs[1] ?? null
      requireDtype(dtype, dtypes)
      const axisCount = axisCountOf(axes)
      if (axisCount === 0 && noop_with_empty_axes && !isNoopPlain)
        unsupported('what noop_with_empty_axes means here is not settled')
      if (axisCount > dims.length) mismatch(`${axisCount} axes of a tensor of rank ${dims.length}`)
      const known = axes === null || axisCount === 0 ? [] : knownNumbers(axes)
      if (known !== null)
        return [
          result(dtype, reducedDims(dims, reducedAxes(known, dims.length, noop_with_empty_axes), keepdims)),
        ]
      const rank = keepdims ? dims.length : dims.length - axisCount
      return [result(dtype, new Array<null>(rank).fill(null))]
    },
    run({ inputs, outputs, attributes: { noop_with_empty_axes } }) {
      const x = required(inputs, 0)
      const out = required(outputs, 0)
      const axes = reducedAxes(axesOf(inputs[1]), x.dims.length, noop_with_empty_axes)
      if (axes.length === 0 && isNoopPlain) out.data.set(x.data as never)
      else run(out, x, axes)
    },
  })
}
