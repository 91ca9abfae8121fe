// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import type { AttributeSchemas, AttributesOf } from '../attributes.ts'
import { defineOperator, type Operator } from '../operator.ts'
import { requireDtype, required, result } from '../support.ts'
import { elementsOf, kindFor, type NumberKinds, writable } from './elements.ts'

export type ElementFunction = (x: number) => number

interface UnaryDefinition<Schemas extends AttributeSchemas> {
  readonly name: string
  readonly attributes?: Schemas
  readonly dtypes?: readonly DType[]
  /** If it is not that of the input. */
  readonly resultDtype?: DType
  /** The function for the attributes of a call. */
  readonly apply: (attributes: AttributesOf<Schemas>) => ElementFunction | NumberKinds<ElementFunction>
}

function mapElements(out: Float32Array, x: Float32Array, apply: ElementFunction): void {
  for (let i = 0; i < out.length; i++) out[i] = apply(x[i] as number)
}

/** A function of each element, of float32 unless said otherwise. */
export function defineUnary<const Schemas extends AttributeSchemas = Record<never, never>>({
  name,
  attributes,
  dtypes = ['float32'],
  resultDtype,
  apply,
}: UnaryDefinition<Schemas>): Operator {
  return defineOperator<AttributeSchemas>({
    name,
    inputCount: [1, 1],
    attributes: attributes ?? {},
    infer({ inputs }) {
      const { dtype, dims } = required(inputs, 0)
      requireDtype(dtype, dtypes)
      return [result(resultDtype ?? dtype, dims)]
    },
    run({ inputs, outputs, attributes: given }) {
      const x = required(inputs, 0)
      const kinds = apply(given as AttributesOf<Schemas>)
      const one = typeof kinds === 'function' ? kinds : kindFor(kinds, x.dtype)
      mapElements(writable(outputs), elementsOf(x), one)
    },
  })
}
