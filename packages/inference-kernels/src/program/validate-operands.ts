// SPDX-License-Identifier: Apache-2.0
import { type DType, dtypes } from '@mlcapsule/contracts'
import { isAttributeValue } from '../operators/attributes.ts'
import { operatorOf } from '../operators/registry.ts'
import { weightsDtypes } from './layouts.ts'
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import { enumMembers, type StepFieldType, stepFields, stepSchemas } from './step-schema.ts'
import type { Activation, Layout, Program, ProgramStep, ProgramValue, Quantization, StepOp } from './types.ts'

/** What an operand must be. Without a layout any but the packed ones will do; without `dtypes` it is float32. */
interface OperandRule {
  readonly layout?: Layout
  readonly minRank?: number
  readonly maxRank?: number
  readonly dtypes?: readonly DType[]
}

const image: OperandRule = { layout: 'nhwc', minRank: 4 }
const rows: OperandRule = { layout: 'row-major', minRank: 1 }
const matrix: OperandRule = { layout: 'row-major', minRank: 2 }
const vector: OperandRule = { layout: 'row-major', minRank: 1, maxRank: 1 }
const floats: OperandRule = {}
const anything: OperandRule = { dtypes }
const plain: OperandRule = { dtypes, layout: 'row-major' }
const panels: OperandRule = { dtypes: weightsDtypes, layout: 'panels16' }
const bytes: OperandRule = { dtypes: ['uint8'] }
const byteImage: OperandRule = { ...image, dtypes: ['uint8'] }
const byteRows: OperandRule = { ...rows, dtypes: ['uint8'] }
const byteWeights: OperandRule = { dtypes: ['int8'], layout: 'quantizedPanels16' }

const rules: Readonly<Record<StepOp, Readonly<Record<string, OperandRule>>>> = {
  conv2d: {
    input: image,
    weights: { ...panels, minRank: 4 },
    bias: vector,
    residual: image,
    output: image,
    scales: vector,
  },
  depthwiseConv2d: { input: image, weights: { layout: 'depthwise16' }, bias: vector, output: image },
  dense: {
    input: rows,
    weights: { ...panels, maxRank: 2 },
    bias: vector,
    residual: rows,
    output: rows,
    scales: vector,
  },
  matmul: { a: matrix, b: matrix, output: matrix },
  pool2d: { input: image, output: image },
  unary: { input: floats, output: floats },
  binary: { a: floats, b: floats, output: floats },
  softmax: { input: floats, output: floats },
  transpose: { input: anything, output: anything },
  concat: { inputs: anything, output: anything },
  slice: { input: anything, output: anything },
  pad: { input: anything, output: anything },
  expand: { input: anything, output: anything },
  operator: { inputs: plain, outputs: plain },
  quantizedConv2d: {
    input: byteImage,
    weights: { ...byteWeights, minRank: 4 },
    residual: byteImage,
    output: byteImage,
  },
  quantizedDense: { input: byteRows, weights: { ...byteWeights, maxRank: 2 }, output: byteRows },
  quantize: { input: floats, output: bytes },
  dequantize: { input: bytes, output: floats },
  quantizedAdd: { a: bytes, b: bytes, output: bytes },
  quantizedMaxPool2d: { input: byteImage, output: byteImage },
  if: { condition: plain, thenOutputs: plain, elseOutputs: plain, outputs: plain },
}

function validateOperand(program: Program, index: unknown, rule: OperandRule, field: string): void {
  assertInteger(index, 0, program.values.length - 1, field)
  const { dtype, layout, dims } = program.values[index] as ProgramValue
  const { dtypes: accepted = ['float32'] } = rule
  if (!accepted.includes(dtype)) failProgram(field, `expected ${accepted.join(' or ')}, got ${dtype}`)
  const isFit =
    rule.layout === undefined ? layout === 'row-major' || layout === 'nhwc' : layout === rule.layout
  if (!isFit) failProgram(field, `expected layout ${rule.layout ?? 'row-major or nhwc'}, got ${layout}`)
  const { minRank = 0, maxRank = programLimits.rank } = rule
  if (dims.length < minRank || dims.length > maxRank) {
    failProgram(field, `expected rank ${minRank} to ${maxRank}, got ${dims.length}`)
  }
}

function validateFloat(value: unknown, field: string): void {
  if (typeof value !== 'number' || Number.isNaN(value)) failProgram(field, 'is not a number')
}

/** @throws KernelError `PROGRAM_INVALID` where zero point and bounds are not bytes, or the bounds not in their order */
function validateQuantization({ scale, zero, low, high }: Quantization, field: string): void {
  validateFloat(scale, `${field}.scale`)
  assertInteger(zero, 0, 255, `${field}.zero`)
  assertInteger(low, 0, 255, `${field}.low`)
  assertInteger(high, low, 255, `${field}.high`)
}

function validateInts(list: unknown, minCount: number, maxCount: number, min: number, field: string): void {
  if (!Array.isArray(list) || list.length < minCount || list.length > maxCount) {
    failProgram(field, `expected a list of ${minCount} to ${maxCount} integers`)
  }
  for (const [i, value] of list.entries())
    assertInteger(value, min, programLimits.dimension, `${field}[${i}]`)
}

/** Fields of steps over bytes. */
const zeroPoints = new Set(['inputZero', 'residualZero', 'zero', 'aZero', 'bZero'])

function validateField(
  program: Program,
  op: StepOp,
  name: string,
  type: StepFieldType,
  operand: unknown,
  field: string,
) {
  const rule = rules[op][name] ?? anything
  switch (type) {
    case 'value':
      return validateOperand(program, operand, rule, field)
    case 'lastValue':
      return operand === undefined ? undefined : validateOperand(program, operand, rule, field)
    case 'optionalValue':
      return operand === null ? undefined : validateOperand(program, operand, rule, field)
    case 'values':
      validateInts(operand, 1, programLimits.operandCount, 0, field)
      for (const [i, value] of (operand as number[]).entries()) {
        validateOperand(program, value, rule, `${field}[${i}]`)
      }
      return
    case 'optionalValues':
      validateInts(operand, 0, programLimits.operandCount, 0, field)
      return
    case 'operator':
    case 'attributes':
      return
    case 'int':
      return assertInteger(operand, 0, zeroPoints.has(name) ? 255 : programLimits.dimension, field)
    case 'ints':
      return validateInts(operand, 0, programLimits.rank, -programLimits.dimension, field)
    case 'pair':
      return validateInts(operand, 2, 2, 1, field)
    case 'pads':
      return validateInts(operand, 4, 4, 0, field)
    case 'flag':
      return typeof operand === 'boolean' ? undefined : failProgram(field, 'expected true or false')
    case 'float':
      return validateFloat(operand, field)
    case 'activation': {
      const { kind, alpha, beta } = operand as Activation
      if (!enumMembers('activation').includes(kind)) failProgram(`${field}.kind`, `${kind} does not exist`)
      validateFloat(alpha, `${field}.alpha`)
      return validateFloat(beta, `${field}.beta`)
    }
    case 'quantization':
      return validateQuantization(operand as Quantization, field)
    default:
      if (!enumMembers(type).includes(operand as string))
        failProgram(field, `${String(operand)} does not exist`)
  }
}

/** Checks what an operator's schema says of the call; whether operands go together is found when dims are known. */
function validateOperator(
  program: Program,
  step: Extract<ProgramStep, { readonly op: 'operator' }>,
  field: string,
): void {
  const operator =
    operatorOf(step.operator) ?? failProgram(`${field}.operator`, `there is no ${step.operator}`)
  const assertCount = (list: unknown, [least, most]: readonly [number, number], name: string) => {
    const count = Array.isArray(list) ? list.length : -1
    if (count < least || count > Math.min(most, programLimits.operandCount)) {
      failProgram(`${field}.${name}`, `${operator.name} takes ${least} to ${most}, got ${count}`)
    }
  }
  assertCount(step.inputs, operator.inputCount, 'inputs')
  assertCount(step.outputs, operator.outputCount, 'outputs')
  for (const [i, value] of step.inputs.entries()) {
    if (value !== null) validateOperand(program, value, plain, `${field}.inputs[${i}]`)
  }
  for (const [i, value] of step.outputs.entries())
    validateOperand(program, value, plain, `${field}.outputs[${i}]`)
  for (const name of Object.keys(step.attributes)) {
    if (!Object.hasOwn(operator.attributes, name)) {
      failProgram(`${field}.attributes.${name}`, `${operator.name} has no such attribute`)
    }
  }
  for (const [name, schema] of Object.entries(operator.attributes)) {
    if (!isAttributeValue(schema, step.attributes[name])) {
      failProgram(`${field}.attributes.${name}`, `expected ${schema.kind}`)
    }
  }
}

/** int8 weights and their scales come together. */
function validateScales(
  program: Program,
  step: Extract<ProgramStep, { readonly op: 'conv2d' | 'dense' }>,
  field: string,
): void {
  const isScaled = program.values[step.weights]?.dtype === 'int8'
  if (isScaled !== (step.scales !== undefined)) {
    failProgram(`${field}.scales`, isScaled ? 'int8 weights need scales' : 'only int8 weights have scales')
  }
}

/** Checks a step's fields and what kind of value each operand is; not yet its dims. */
export function validateOperands(program: Program, step: ProgramStep, stepIndex: number): void {
  if (!Object.hasOwn(stepSchemas, step.op))
    failProgram(`steps[${stepIndex}].op`, `${String(step.op)} does not exist`)
  if (step.op === 'operator') {
    validateOperator(program, step, `steps[${stepIndex}]`)
    return
  }
  for (const [name, type] of stepFields(step.op)) {
    const operand = (step as unknown as Readonly<Record<string, unknown>>)[name]
    validateField(program, step.op, name, type, operand, `steps[${stepIndex}].${name}`)
  }
  if (step.op === 'conv2d' || step.op === 'dense') validateScales(program, step, `steps[${stepIndex}]`)
}
