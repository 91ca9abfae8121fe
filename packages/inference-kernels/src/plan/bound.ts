// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import type { AttributeValue } from '../operators/attributes.ts'
import type { Operator } from '../operators/operator.ts'

/** A tensor and its place in memory. */
export interface BoundTensor {
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly addressBytes: number
  readonly sizeBytes: number
}

/** An input or output of a bound program and its place in memory. */
export interface BoundPort extends BoundTensor {
  readonly name: string
}

/** An operator with its operands' places; `known` holds the elements of inputs that need not be read from memory. */
export interface BoundOperator {
  readonly operator: Operator
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly inputs: readonly (BoundTensor | null)[]
  readonly known: readonly (TensorData | null)[]
  readonly outputs: readonly BoundTensor[]
  readonly stepIndex: number
}

/** What running a piece of a program consists of, in order. */
export type BoundAction =
  | { readonly kind: 'records'; readonly first: number; readonly count: number }
  | { readonly kind: 'operator'; readonly call: BoundOperator }
  | { readonly kind: 'store'; readonly to: BoundTensor; readonly data: TensorData }
