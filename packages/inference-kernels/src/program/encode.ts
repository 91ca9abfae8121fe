// SPDX-License-Identifier: Apache-2.0
import {
  dtypeNumber,
  headerWordCount,
  layouts,
  programMagic,
  programVersion,
  stepWordCount,
  storageKinds,
  valueWordCount,
} from './format.ts'
import { programLimits } from './limits.ts'
import { failProgram } from './program-error.ts'
import { enumMembers, type StepFieldType, stepFields, stepSchemas } from './step-schema.ts'
import type { Activation, Program, ProgramStep, ProgramValue } from './types.ts'
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
  for (const dim of value.dims) writer.int(typeof dim === 'number' ? dim : -1 - dim.symbol)
  writer.padTo(end)
}

function writeField(writer: WordWriter, type: StepFieldType, operand: unknown): void {
  switch (type) {
    case 'value':
    case 'int':
      writer.int(operand as number)
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
    default:
      writer.int(enumMembers(type).indexOf(operand as string))
      break
  }
}

function writeStep(rows: WordWriter, attributes: WordWriter, step: ProgramStep): void {
  const before = attributes.wordCount
  for (const [name, type] of stepFields(step.op)) {
    writeField(attributes, type, (step as unknown as Readonly<Record<string, unknown>>)[name])
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
  for (const step of program.steps) writeStep(rows, attributes, step)

  const utf8 = new TextEncoder()
  const ports = [...program.inputs, ...program.outputs]
  const names = [...program.symbols, ...ports.map((port) => port.name)].map((name) => utf8.encode(name))
  const nameRows = new WordWriter()
  for (const [i, name] of names.entries()) {
    nameRows.int(name.length)
    const port = ports[i - program.symbols.length]
    if (port !== undefined) nameRows.int(port.value)
  }
  const nameSizeBytes = names.reduce((sum, name) => sum + name.length, 0)
  const tablesWordCount =
    headerWordCount + values.wordCount + rows.wordCount + attributes.wordCount + nameRows.wordCount
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
  header.padTo(headerWordCount)
  for (const part of [values, rows, attributes, nameRows]) header.append(part)

  const bytes = new Uint8Array(sizeBytes)
  header.copyTo(new DataView(bytes.buffer), 0)
  let at = tablesWordCount * 4
  for (const name of names) {
    bytes.set(name, at)
    at += name.length
  }
  return bytes
}
