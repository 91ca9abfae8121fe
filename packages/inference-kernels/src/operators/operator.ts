// SPDX-License-Identifier: Apache-2.0
import type { DType, TensorData } from '@mlcapsule/contracts'
import type { AttributeSchemas, AttributesOf, AttributeValue } from './attributes.ts'

/** Dtype and dims of a tensor, row-major. */
export interface TensorType {
  readonly dtype: DType
  readonly dims: readonly number[]
}

/** An operand while sizes are worked out: `data` is null where its elements are not known yet. */
export interface OperandType extends TensorType {
  readonly data: TensorData | null
}

/** An operand, or a result to be written, while an operator runs. */
export interface Operand extends TensorType {
  readonly data: TensorData
}

/** A result's type. A dimension is null where it depends on elements that are not known yet. */
export interface ResultType {
  readonly dtype: DType
  readonly dims: readonly (number | null)[]
}

export interface InferCall<Attributes> {
  /** null: an optional input that is not given. Inputs past the last one given are left out. */
  readonly inputs: readonly (OperandType | null)[]
  readonly attributes: Attributes
  /** How many results are asked for: the first ones. */
  readonly outputCount: number
}

export interface RunCall<Attributes> {
  readonly inputs: readonly (Operand | null)[]
  readonly attributes: Attributes
  /** Results to be written whole, with the types that `infer` gave. They share no byte with an input, and hold garbage. */
  readonly outputs: readonly Operand[]
}

/**
 * An operator in plain TypeScript, the same for every kernel backend: what is too rare or too small for a kernel in C. Its
 * meaning is that of the newest version of the ONNX operator of its name. Operands are float32, an integer type or bool:
 * importers compute float16 and float64 as float32; only Cast knows these two.
 */
export interface Operator<Schemas extends AttributeSchemas = AttributeSchemas> {
  readonly name: string
  /** Fewest and most inputs. */
  readonly inputCount: readonly [least: number, most: number]
  readonly outputCount: readonly [least: number, most: number]
  readonly attributes: Schemas
  /** Inputs whose elements `infer` has to know. While a program runs they are there; while it is compiled they may not be. */
  readonly contents: readonly number[]
  /** The first result is the first input under other dims: nothing runs. */
  readonly isAlias: boolean
  /** `run` looks at no element of any input: what it gives is known with the dims. */
  readonly isTypesOnly: boolean
  /**
   * Types of at least `outputCount` results.
   * @throws OperatorFault for operands that do not fit together, or a form that is not supported
   */
  infer(call: InferCall<AttributesOf<Schemas>>): readonly ResultType[]
  /** @throws OperatorFault for an element out of range, such as an index */
  run(call: RunCall<AttributesOf<Schemas>>): void
}

type Optional = 'outputCount' | 'attributes' | 'contents' | 'isAlias' | 'isTypesOnly'

/** Defines an operator. One result, no attributes and no inputs that `infer` looks into unless said otherwise. */
export function defineOperator<const Schemas extends AttributeSchemas = Record<never, never>>(
  definition: Omit<Operator<Schemas>, Optional> & Partial<Pick<Operator<Schemas>, Optional>>,
): Operator {
  return {
    outputCount: [1, 1],
    attributes: {},
    contents: [],
    isAlias: false,
    isTypesOnly: false,
    ...definition,
  } as unknown as Operator
}

/** All attributes of a call, with those that it leaves out. */
export function completeAttributes(
  operator: Operator,
  given: Readonly<Record<string, AttributeValue>>,
): Readonly<Record<string, AttributeValue>> {
  const schemas = Object.entries(operator.attributes)
  return Object.fromEntries(schemas.map(([name, { otherwise }]) => [name, given[name] ?? otherwise]))
}
