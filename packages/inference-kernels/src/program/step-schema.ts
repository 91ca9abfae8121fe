// SPDX-License-Identifier: Apache-2.0
import { recordEnums } from '../abi.generated.ts'
import type { ProgramStep, StepOp } from './types.ts'

/**
 * How a field of a step is written, in 32-bit words:
 * `value` 1 · `optionalValue` 1, -1 for null · `values` and `ints` a count and the words · `int` 1 · `flag` 1 ·
 * `lastValue` 1, or none where there is no value: the last field · `float` 1 · `pair` 2 · `pads` 4 · `activation` 3 · `quantization` 4 · an enum 1 · `optionalValues` a count and the words, -1 for null ·
 * `operator` 1, the place of its name · `attributes` those of the operator in the order of its schema: `int`, `float`,
 * `flag` and `oneOf` 1, lists a count and the words.
 */
export type StepFieldType =
  | 'value'
  | 'optionalValue'
  | 'lastValue'
  | 'values'
  | 'optionalValues'
  | 'operator'
  | 'attributes'
  | 'int'
  | 'ints'
  | 'flag'
  | 'float'
  | 'pair'
  | 'pads'
  | 'activation'
  | 'quantization'
  | 'pool'
  | 'unary'
  | 'binary'
  | 'softmax'

type StepOf<Op extends StepOp> = Extract<ProgramStep, { readonly op: Op }>
type FieldName<Op extends StepOp> = Exclude<keyof StepOf<Op>, 'op'> & string

interface StepSchema<Op extends StepOp> {
  readonly number: number
  readonly fields: { readonly [Name in FieldName<Op>]: StepFieldType }
}

const window = { strides: 'pair', pads: 'pads', dilations: 'pair' } as const

/** The ops of the program format, their numbers, and their fields in the order in which they are written. */
export const stepSchemas: { readonly [Op in StepOp]: StepSchema<Op> } = {
  conv2d: {
    number: 1,
    fields: {
      input: 'value',
      weights: 'value',
      bias: 'optionalValue',
      residual: 'optionalValue',
      output: 'value',
      ...window,
      groups: 'int',
      activation: 'activation',
      scales: 'lastValue',
    },
  },
  depthwiseConv2d: {
    number: 2,
    fields: {
      input: 'value',
      weights: 'value',
      bias: 'optionalValue',
      output: 'value',
      ...window,
      activation: 'activation',
    },
  },
  dense: {
    number: 3,
    fields: {
      input: 'value',
      weights: 'value',
      bias: 'optionalValue',
      residual: 'optionalValue',
      output: 'value',
      activation: 'activation',
      scales: 'lastValue',
    },
  },
  matmul: { number: 4, fields: { a: 'value', b: 'value', output: 'value' } },
  pool2d: {
    number: 5,
    fields: {
      input: 'value',
      output: 'value',
      pool: 'pool',
      kernel: 'pair',
      ...window,
      countIncludePad: 'flag',
    },
  },
  unary: {
    number: 6,
    fields: { input: 'value', output: 'value', unary: 'unary', alpha: 'float', beta: 'float' },
  },
  binary: {
    number: 7,
    fields: { a: 'value', b: 'value', output: 'value', binary: 'binary', activation: 'activation' },
  },
  softmax: { number: 8, fields: { input: 'value', output: 'value', axis: 'int', softmax: 'softmax' } },
  transpose: { number: 9, fields: { input: 'value', output: 'value', permutation: 'ints' } },
  concat: { number: 10, fields: { inputs: 'values', output: 'value', axis: 'int' } },
  slice: { number: 11, fields: { input: 'value', output: 'value', starts: 'ints', steps: 'ints' } },
  pad: { number: 12, fields: { input: 'value', output: 'value', before: 'ints', value: 'float' } },
  expand: { number: 13, fields: { input: 'value', output: 'value' } },
  operator: {
    number: 14,
    fields: {
      operator: 'operator',
      inputs: 'optionalValues',
      outputs: 'values',
      attributes: 'attributes',
    },
  },
  quantizedConv2d: {
    number: 16,
    fields: {
      input: 'value',
      weights: 'value',
      residual: 'optionalValue',
      output: 'value',
      ...window,
      groups: 'int',
      inputZero: 'int',
      quantization: 'quantization',
      residualScale: 'float',
      residualZero: 'int',
      sumQuantization: 'quantization',
    },
  },
  quantizedDense: {
    number: 17,
    fields: {
      input: 'value',
      weights: 'value',
      output: 'value',
      inputZero: 'int',
      quantization: 'quantization',
    },
  },
  quantize: { number: 18, fields: { input: 'value', output: 'value', quantization: 'quantization' } },
  dequantize: { number: 19, fields: { input: 'value', output: 'value', scale: 'float', zero: 'int' } },
  quantizedAdd: {
    number: 20,
    fields: {
      a: 'value',
      b: 'value',
      output: 'value',
      aScale: 'float',
      aZero: 'int',
      bScale: 'float',
      bZero: 'int',
      quantization: 'quantization',
    },
  },
  quantizedMaxPool2d: {
    number: 21,
    fields: { input: 'value', output: 'value', kernel: 'pair', ...window },
  },
  if: {
    number: 15,
    fields: {
      condition: 'value',
      thenStepCount: 'int',
      elseStepCount: 'int',
      thenOutputs: 'values',
      elseOutputs: 'values',
      outputs: 'values',
    },
  },
}

const opsByNumber = new Map(Object.entries(stepSchemas).map(([op, { number }]) => [number, op as StepOp]))

export function stepOpOfNumber(number: number): StepOp | undefined {
  return opsByNumber.get(number)
}

/** Names and types of an op's fields, in the order in which they are written. */
export function stepFields(op: StepOp): readonly (readonly [name: string, type: StepFieldType])[] {
  return Object.entries(stepSchemas[op].fields)
}

/** Members of the enums that steps share with records. */
export function enumMembers(type: 'pool' | 'unary' | 'binary' | 'softmax' | 'activation'): readonly string[] {
  return recordEnums[type]
}

/** Values that a step writes. */
export function stepOutputs(step: ProgramStep): readonly number[] {
  return step.op === 'operator' || step.op === 'if' ? step.outputs : [step.output]
}

/** Values that a step reads, with the names of the fields that name them; of an `if` the condition alone. */
export function stepInputs(step: ProgramStep): readonly (readonly [field: string, value: number])[] {
  const inputs: [string, number][] = []
  if (step.op === 'if') return [['condition', step.condition]]
  for (const [name, type] of stepFields(step.op)) {
    const operand = (step as unknown as Readonly<Record<string, unknown>>)[name]
    if (name === 'outputs') continue
    if (type === 'optionalValues') {
      for (const [i, value] of (operand as readonly (number | null)[]).entries()) {
        if (value !== null) inputs.push([`${name}[${i}]`, value])
      }
    } else if (type === 'values') {
      for (const [i, value] of (operand as readonly number[]).entries()) inputs.push([`${name}[${i}]`, value])
    } else if (name !== 'output' && (type === 'value' || type === 'optionalValue' || type === 'lastValue')) {
      if (operand != null) inputs.push([name, operand as number])
    }
  }
  return inputs
}

/** Names of the operators that steps use, each once, in the order of their first use: the program's table of them. */
export function usedOperators(steps: readonly ProgramStep[]): readonly string[] {
  return [...new Set(steps.flatMap((step) => (step.op === 'operator' ? [step.operator] : [])))]
}
