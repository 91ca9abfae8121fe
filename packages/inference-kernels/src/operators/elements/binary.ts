// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import type { AttributeSchemas, AttributesOf } from '../attributes.ts'
import { defineOperator, type Operand, type Operator } from '../operator.ts'
import { broadcastAll, requireDtype, required, requireSameDtype, result } from '../support.ts'
import { elementsOf, kindFor, type NumberKinds } from './elements.ts'
import { eachBroadcastRow } from './rows.ts'

export type Combine = (x: number, y: number) => number

function combineRow(
  out: Float32Array,
  at: number,
  count: number,
  x: Float32Array,
  xFirst: number,
  xStep: number,
  y: Float32Array,
  yFirst: number,
  yStep: number,
  combine: Combine,
): void {
  for (let n = 0; n < count; n++) {
    out[at + n] = combine(x[xFirst + n * xStep] as number, y[yFirst + n * yStep] as number)
  }
}

/** Writes `combine` of two operands that are broadcast to a result, which may be one of them. */
export function combineElements(out: Operand, x: Operand, y: Operand, combine: Combine): void {
  eachBroadcastRow(out.dims, [x, y], (at, places, { count, steps }) =>
    combineRow(
      elementsOf(out),
      at,
      count,
      elementsOf(x),
      places[0] as number,
      steps[0] as number,
      elementsOf(y),
      places[1] as number,
      steps[1] as number,
      combine,
    ),
  )
}

interface BinaryDefinition<Schemas extends AttributeSchemas> {
  readonly name: string
  readonly attributes?: Schemas
  readonly dtypes: readonly DType[]
  /** If it is not that of the inputs. */
  readonly resultDtype?: DType
  readonly apply: (attributes: AttributesOf<Schemas>) => NumberKinds<Combine>
  /** Refuses what is not done. */
  readonly check?: (dtype: DType, attributes: AttributesOf<Schemas>) => void
}

/** A function of two elements of one dtype, broadcast as in NumPy. */
export function defineBinary<const Schemas extends AttributeSchemas = Record<never, never>>({
  name,
  attributes,
  dtypes,
  resultDtype,
  apply,
  check,
}: BinaryDefinition<Schemas>): Operator {
  return defineOperator<AttributeSchemas>({
    name,
    inputCount: [2, 2],
    attributes: attributes ?? {},
    infer({ inputs, attributes: given }) {
      const x = required(inputs, 0)
      const y = required(inputs, 1)
      requireSameDtype(x.dtype, y.dtype)
      requireDtype(x.dtype, dtypes)
      check?.(x.dtype, given as AttributesOf<Schemas>)
      return [result(resultDtype ?? x.dtype, broadcastAll([x.dims, y.dims]))]
    },
    run({ inputs, outputs, attributes: given }) {
      const x = required(inputs, 0)
      const combine = kindFor(apply(given as AttributesOf<Schemas>), x.dtype)
      combineElements(required(outputs, 0), x, required(inputs, 1), combine)
    },
  })
}

/** A function of two BigInts under the type of one of numbers. */
export const big = (combine: (x: bigint, y: bigint) => bigint | number): Combine =>
  combine as unknown as Combine
