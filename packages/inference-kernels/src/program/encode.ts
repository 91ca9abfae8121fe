// SPDX-License-Identifier: Apache-2.0
import type { AttributeSchema, AttributeValue } from '../operators/attributes.ts'
import { operatorOf } from '../operators/registry.ts'
import {
  dtypeNumber,
  headerWordCount,
  layouts,
  programMagic,
  programVersion,
  stepWordCount,
  storageKinds,
  unknownDimension,
  valueWordCount,
} from './format.ts'
import { programLimits } from './limits.ts'
import { failProgram } from './program-error.ts'
import { enumMembers, type StepFieldType, stepFields, stepSchemas, usedOperators } from './step-schema.ts'
import type { Activation, Program, ProgramStep, ProgramValue, Quantization } from './types.ts'
import { validateProgram } from './validate.ts'
import { WordWriter } from './words.ts'

function writeValue(writer: WordWriter, value: ProgramValue): void {
  const end = writer.wordCount + valueWordCount
  const { storage } = value
  writer.int(dtypeNumber(value.dtype))
  writer.int(layouts.indexOf(value.layout))
  writer.int(storageKinds.indexOf(storage.kind))
  writer.int(storage.kind === 'weights' ? storage.offsetBytes : storage.kind === 'alias' ? storage.of : 0)
  writer.int(storage.kind === 'weights' ? storage.sizeBytes : 0)
  writer.int(value.dims.length)
  for (const dim of value.dims) {
    writer.int(dim === null ? unknownDimension : typeof dim === 'number' ? dim : -1 - dim.symbol)
  }
  writer.padTo(end)
}

function writeAttribute(writer: WordWriter, schema: AttributeSchema, value: AttributeValue): void {
  switch (schema.kind) {
    case 'int':
      writer.int(value as number)
      break
    case 'float':
      writer.float(value as number)
      break
    case 'flag':
      writer.int(value === true ? 1 : 0)
      break
    case 'oneOf':
      writer.int(schema.members.indexOf(value as string))
      break
    default: {
      const list = value as readonly number[]
      writer.int(list.length)
      for (const item of list) schema.kind === 'ints' ? writer.int(item) : writer.float(item)
    }
  }
}

type OperatorStep = Extract<ProgramStep, { readonly op: 'operator' }>

function writeAttributes(writer: WordWriter, { operator, attributes }: OperatorStep): void {
  for (const [name, schema] of Object.entries(operatorOf(operator)?.attributes ?? {})) {
    writeAttribute(writer, schema, attributes[name] as AttributeValue)
  }
}

function writeField(
  writer: WordWriter,
  type: Exclude<StepFieldType, 'operator' | 'attributes'>,
  operand: unknown,
): void {
  switch (type) {
    case 'value':
    case 'int':
      writer.int(operand as number)
      break
    case 'lastValue':
      if (operand !== undefined) writer.int(operand as number)
      break
    case 'optionalValue':
      writer.int((operand as number | null) ?? -1)
      break
    case 'flag':
      writer.int(operand === true ? 1 : 0)
      break
    case 'float':
      writer.float(operand as number)
      break
    case 'values':
    case 'ints':
      writer.int((operand as readonly number[]).length)
      writer.ints(operand as readonly number[])
      break
    case 'optionalValues':
      writer.int((operand as readonly (number | null)[]).length)
      for (const value of operand as readonly (number | null)[]) writer.int(value ?? -1)
      break
    case 'pair':
    case 'pads':
      writer.ints(operand as readonly number[])
      break
    case 'activation': {
      const { kind, alpha, beta } = operand as Activation
      writer.int(enumMembers('activation').indexOf(kind))
      writer.float(alpha)
      writer.float(beta)
      break
    }
    case 'quantization': {
      const { scale, zero, low, high } = operand as Quantization
      writer.float(scale)
      writer.ints([zero, low, high])
      break
    }
    default:
      writer.int(enumMembers(type).indexOf(operand as string))
      break
  }
}

function writeStep(
  rows: WordWriter,
  attributes: WordWriter,
  step: ProgramStep,
  operators: readonly string[],
): void {
  const before = attributes.wordCount
  for (const [name, type] of stepFields(step.op)) {
    if (type === 'operator') attributes.int(operators.indexOf((step as OperatorStep).operator))
    else if (type === 'attributes') writeAttributes(attributes, step as OperatorStep)
    else writeField(attributes, type, (step as unknown as Readonly<Record<string, unknown>>)[name])
  }
  rows.int(stepSchemas[step.op].number)
  rows.int(attributes.wordCount - before)
}

/**
 * Writes a program in the binary format, version 1. Floats are rounded to float32.
 * @returns a multiple of 4 bytes; `decodeProgram` gives the same program, and the same program always the same bytes
 * @throws KernelError `PROGRAM_INVALID`, `PROGRAM_LIMIT_EXCEEDED`
 */
export function encodeProgram(program: Program): Uint8Array {
  validateProgram(program)
  const values = new WordWriter()
  for (const value of program.values) writeValue(values, value)
  const rows = new WordWriter()
  const attributes = new WordWriter()
  const operators = usedOperators(program.steps)
  for (const step of program.steps) writeStep(rows, attributes, step, operators)

  const utf8 = new TextEncoder()
  const ports = [...program.inputs, ...program.outputs]
  const plainNames = [...program.symbols, ...operators]
  const names = [...plainNames, ...ports.map((port) => port.name)].map((name) => utf8.encode(name))
  const nameRows = new WordWriter()
  for (const [i, name] of names.entries()) {
    nameRows.int(name.length)
    const port = ports[i - plainNames.length]
    if (port !== undefined) nameRows.int(port.value)
  }
  const states = new WordWriter()
  for (const { input, output } of program.states) {
    states.int(input)
    states.int(output)
  }
  const nameSizeBytes = names.reduce((sum, name) => sum + name.length, 0)
  const parts = [values, rows, attributes, nameRows, states]
  const tablesWordCount = parts.reduce((sum, { wordCount }) => sum + wordCount, headerWordCount)
  const sizeBytes = tablesWordCount * 4 + Math.ceil(nameSizeBytes / 4) * 4
  if (sizeBytes > programLimits.programSizeBytes) {
    failProgram(
      'program',
      `has ${sizeBytes} bytes, at most ${programLimits.programSizeBytes}`,
      'PROGRAM_LIMIT_EXCEEDED',
    )
  }

  const header = new WordWriter()
  header.int(programMagic)
  header.int(programVersion)
  header.int(sizeBytes)
  header.int(program.weightsSizeBytes)
  header.int(program.symbols.length)
  header.int(program.values.length)
  header.int(rows.wordCount / stepWordCount)
  header.int(attributes.wordCount)
  header.int(program.inputs.length)
  header.int(program.outputs.length)
  header.int(nameSizeBytes)
  header.int(operators.length)
  header.int(program.states.length)
  header.padTo(headerWordCount)
  for (const part of parts) header.append(part)

  const bytes = new Uint8Array(sizeBytes)
  header.copyTo(new DataView(bytes.buffer), 0)
  let at = tablesWordCount * 4
  for (const name of names) {
    bytes.set(name, at)
    at += name.length
  }
  return bytes
}
