// SPDX-License-Identifier: Apache-2.0
import { dtypes } from '@mlcapsule/contracts'
import { type AttributeSchema, type AttributeValue, attributeElementCount } from '../operators/attributes.ts'
import { operatorOf } from '../operators/registry.ts'
import {
  headerWordCount,
  layouts,
  programMagic,
  programVersion,
  stateWordCount,
  stepWordCount,
  storageKinds,
  unknownDimension,
  valueWordCount,
} from './format.ts'
import { programLimits } from './limits.ts'
import { failProgram } from './program-error.ts'
import { enumMembers, type StepFieldType, stepFields, stepOpOfNumber, usedOperators } from './step-schema.ts'
import type { Dimension, Program, ProgramPort, ProgramStep, ProgramValue, Storage } from './types.ts'
import { validateProgram } from './validate.ts'
import { WordReader } from './words.ts'

const malformed = (field: string, detail: string): never => failProgram(field, detail, 'PROGRAM_MALFORMED')

function readCount(reader: WordReader, max: number, field: string): number {
  const count = reader.int(field) >>> 0
  if (count > max) failProgram(field, `is ${count}, at most ${max} are accepted`, 'PROGRAM_LIMIT_EXCEEDED')
  return count
}

function readHeader(view: DataView) {
  const reader = new WordReader(view, 0, headerWordCount)
  if (reader.int('magic') !== programMagic) malformed('magic', 'expected "MLCP"')
  const version = reader.int('version')
  if (version !== programVersion) {
    failProgram('version', `expected ${programVersion}, got ${version}`, 'PROGRAM_VERSION_UNSUPPORTED')
  }
  const header = {
    sizeBytes: reader.int('sizeBytes') >>> 0,
    weightsSizeBytes: readCount(reader, programLimits.memorySizeBytes, 'weightsSizeBytes'),
    symbolCount: readCount(reader, programLimits.symbolCount, 'symbolCount'),
    valueCount: readCount(reader, programLimits.valueCount, 'valueCount'),
    stepCount: readCount(reader, programLimits.stepCount, 'stepCount'),
    attributeWordCount: readCount(reader, programLimits.programSizeBytes / 4, 'attributeWordCount'),
    inputCount: readCount(reader, programLimits.portCount, 'inputCount'),
    outputCount: readCount(reader, programLimits.portCount, 'outputCount'),
    nameSizeBytes: readCount(reader, programLimits.programSizeBytes, 'nameSizeBytes'),
    operatorCount: readCount(reader, programLimits.operatorCount, 'operatorCount'),
    stateCount: readCount(reader, programLimits.stateCount, 'stateCount'),
  }
  reader.zeros(reader.remainingWordCount, 'header.reserved')
  return header
}

function readDimension(word: number, symbolCount: number, field: string): Dimension {
  if (word >= 0) return word
  if (word === unknownDimension) return null
  if (-1 - word >= symbolCount) malformed(field, `${word} is neither a size nor a symbol`)
  return { symbol: -1 - word }
}

function readStorage(kind: Storage['kind'], place: number, sizeBytes: number, field: string): Storage {
  if (kind === 'weights') return { kind, offsetBytes: place >>> 0, sizeBytes: sizeBytes >>> 0 }
  if (sizeBytes !== 0 || (kind === 'arena' && place !== 0)) malformed(field, 'unused words must be 0')
  return kind === 'alias' ? { kind, of: place } : { kind }
}

function readValue(reader: WordReader, symbolCount: number, field: string): ProgramValue {
  const dtype = dtypes[reader.index(dtypes.length, `${field}.dtype`)] as ProgramValue['dtype']
  const layout = layouts[reader.index(layouts.length, `${field}.layout`)] as ProgramValue['layout']
  const kind = storageKinds[reader.index(storageKinds.length, `${field}.storage`)] as Storage['kind']
  const storage = readStorage(kind, reader.int(field), reader.int(field), `${field}.storage`)
  const rank = reader.index(programLimits.rank + 1, `${field}.rank`)
  const dims: Dimension[] = []
  for (let d = 0; d < rank; d++) {
    dims.push(readDimension(reader.int(field), symbolCount, `${field}.dims[${d}]`))
  }
  reader.zeros(valueWordCount - 6 - rank, `${field}.dims`)
  return { dtype, dims, layout, storage }
}

function readList(reader: WordReader, count: number, field: string): number[] {
  return Array.from({ length: count }, () => reader.int(field))
}

function readAttribute(reader: WordReader, schema: AttributeSchema, field: string): AttributeValue {
  switch (schema.kind) {
    case 'int':
      return reader.int(field)
    case 'float':
      return reader.float(field)
    case 'flag':
      return reader.index(2, field) === 1
    case 'oneOf':
      return schema.members[reader.index(schema.members.length, field)] as string
    default: {
      const count = reader.index(
        Math.min(attributeElementCount, reader.remainingWordCount) + 1,
        `${field}.length`,
      )
      const next = () => (schema.kind === 'ints' ? reader.int(field) : reader.float(field))
      return Array.from({ length: count }, next)
    }
  }
}

function readOperator(reader: WordReader, names: readonly string[], field: string): ProgramStep {
  const operator = names[reader.index(names.length, `${field}.operator`)] as string
  const schemas =
    operatorOf(operator)?.attributes ?? failProgram(`${field}.operator`, `there is no ${operator}`)
  const readValues = (name: string) =>
    readList(
      reader,
      reader.index(programLimits.operandCount + 1, `${field}.${name}.length`),
      `${field}.${name}`,
    )
  const inputs = readValues('inputs').map((value) => (value === -1 ? null : value))
  const outputs = readValues('outputs')
  const attributes: Record<string, AttributeValue> = {}
  for (const [name, schema] of Object.entries(schemas)) {
    attributes[name] = readAttribute(reader, schema, `${field}.attributes.${name}`)
  }
  return { op: 'operator', operator, inputs, outputs, attributes }
}

function readField(
  reader: WordReader,
  type: Exclude<StepFieldType, 'operator' | 'attributes' | 'optionalValues'>,
  field: string,
): unknown {
  switch (type) {
    case 'value':
    case 'lastValue':
    case 'int':
      return reader.int(field)
    case 'optionalValue': {
      const value = reader.int(field)
      return value === -1 ? null : value
    }
    case 'flag':
      return reader.index(2, field) === 1
    case 'float':
      return reader.float(field)
    case 'values':
      return readList(reader, reader.index(programLimits.operandCount + 1, `${field}.length`), field)
    case 'ints':
      return readList(reader, reader.index(programLimits.rank + 1, `${field}.length`), field)
    case 'pair':
      return readList(reader, 2, field)
    case 'pads':
      return readList(reader, 4, field)
    case 'activation': {
      const members = enumMembers('activation')
      const kind = members[reader.index(members.length, `${field}.kind`)]
      return { kind, alpha: reader.float(`${field}.alpha`), beta: reader.float(`${field}.beta`) }
    }
    case 'quantization':
      return {
        scale: reader.float(`${field}.scale`),
        zero: reader.int(`${field}.zero`),
        low: reader.int(`${field}.low`),
        high: reader.int(`${field}.high`),
      }
    default: {
      const members = enumMembers(type)
      return members[reader.index(members.length, field)]
    }
  }
}

function readPlainStep(op: ProgramStep['op'], reader: WordReader, field: string): ProgramStep {
  const step: Record<string, unknown> = { op }
  for (const [name, type] of stepFields(op)) {
    if (type === 'lastValue' && reader.remainingWordCount === 0) continue
    step[name] = readField(reader, type as Parameters<typeof readField>[1], `${field}.${name}`)
  }
  return step as unknown as ProgramStep
}

function readStep(
  op: ProgramStep['op'],
  reader: WordReader,
  operators: readonly string[],
  field: string,
): ProgramStep {
  const step = op === 'operator' ? readOperator(reader, operators, field) : readPlainStep(op, reader, field)
  if (reader.remainingWordCount !== 0) malformed(field, 'has words that no field owns')
  return step
}

function readSteps(
  view: DataView,
  offsetBytes: number,
  stepCount: number,
  attributeWordCount: number,
  operators: readonly string[],
): ProgramStep[] {
  const rows = new WordReader(view, offsetBytes, stepCount * stepWordCount)
  let at = offsetBytes + stepCount * stepWordCount * 4
  let left = attributeWordCount
  const steps: ProgramStep[] = []
  for (let i = 0; i < stepCount; i++) {
    const field = `steps[${i}]`
    const number = rows.int(`${field}.op`)
    const op = stepOpOfNumber(number) ?? malformed(`${field}.op`, `${number} is not the number of an op`)
    const wordCount = rows.index(left + 1, `${field}.wordCount`)
    steps.push(readStep(op, new WordReader(view, at, wordCount), operators, field))
    at += wordCount * 4
    left -= wordCount
  }
  if (left !== 0) malformed('attributeWordCount', `${left} words belong to no step`)
  return steps
}

/** Reads names in turn; they lie one after another without separators. */
function nameReader(bytes: Uint8Array, offsetBytes: number, sizeBytes: number) {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let at = offsetBytes
  const end = offsetBytes + sizeBytes
  return {
    next(size: number, field: string): string {
      if (size < 1 || size > programLimits.nameSizeBytes || size > end - at) {
        malformed(field, `a name of ${size} bytes does not fit`)
      }
      const name = bytes.subarray(at, at + size)
      at += size
      try {
        return utf8.decode(name)
      } catch (cause) {
        throw malformed(field, `the name is not UTF-8 (${(cause as Error).name})`)
      }
    },
    finish(): void {
      if (at !== end) malformed('nameSizeBytes', 'there are bytes that belong to no name')
      if (bytes.subarray(end).some((byte) => byte !== 0)) malformed('names', 'unused bytes must be 0')
    },
  }
}

/**
 * Reads a program, version 1, and validates it. Sizes are compared before anything is allocated by them.
 * @param bytes exactly one program, untrusted
 * @throws KernelError `PROGRAM_MALFORMED`, `PROGRAM_VERSION_UNSUPPORTED`, `PROGRAM_LIMIT_EXCEEDED`, `PROGRAM_INVALID`
 */
export function decodeProgram(bytes: Uint8Array): Program {
  if (bytes.length < headerWordCount * 4) malformed('program', `${bytes.length} bytes cannot hold a header`)
  if (bytes.length > programLimits.programSizeBytes) {
    const detail = `has ${bytes.length} bytes, at most ${programLimits.programSizeBytes}`
    failProgram('program', detail, 'PROGRAM_LIMIT_EXCEEDED')
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = readHeader(view)
  const { symbolCount, valueCount, stepCount, attributeWordCount } = header
  const { inputCount, outputCount, operatorCount, stateCount } = header
  const valuesAt = headerWordCount * 4
  const stepsAt = valuesAt + valueCount * valueWordCount * 4
  const nameRowsAt = stepsAt + (stepCount * stepWordCount + attributeWordCount) * 4
  const nameRowWordCount = symbolCount + operatorCount + 2 * (inputCount + outputCount)
  const statesAt = nameRowsAt + nameRowWordCount * 4
  const namesAt = statesAt + stateCount * stateWordCount * 4
  const sizeBytes = namesAt + Math.ceil(header.nameSizeBytes / 4) * 4
  if (sizeBytes !== bytes.length || header.sizeBytes !== sizeBytes) {
    malformed(
      'sizeBytes',
      `counts ask for ${sizeBytes} bytes, header says ${header.sizeBytes}, got ${bytes.length}`,
    )
  }

  const valueReader = new WordReader(view, valuesAt, valueCount * valueWordCount)
  const values = Array.from({ length: valueCount }, (_, i) =>
    readValue(valueReader, symbolCount, `values[${i}]`),
  )
  const rows = new WordReader(view, nameRowsAt, nameRowWordCount)
  const names = nameReader(bytes, namesAt, header.nameSizeBytes)
  const symbols = Array.from({ length: symbolCount }, (_, i) =>
    names.next(rows.int('symbols'), `symbols[${i}]`),
  )
  const operators = Array.from({ length: operatorCount }, (_, i) =>
    names.next(rows.int('operators'), `operators[${i}]`),
  )
  const steps = readSteps(view, stepsAt, stepCount, attributeWordCount, operators)
  if (usedOperators(steps).join() !== operators.join()) {
    malformed('operators', 'expected those that steps use, each once, in the order of their first use')
  }
  const readPorts = (kind: string, count: number): ProgramPort[] =>
    Array.from({ length: count }, (_, i) => {
      const name = names.next(rows.int(kind), `${kind}[${i}].name`)
      return { name, value: rows.int(`${kind}[${i}].value`) }
    })
  const inputs = readPorts('inputs', inputCount)
  const outputs = readPorts('outputs', outputCount)
  names.finish()
  const stateReader = new WordReader(view, statesAt, stateCount * stateWordCount)
  const states = Array.from({ length: stateCount }, (_, i) => ({
    input: stateReader.int(`states[${i}].input`),
    output: stateReader.int(`states[${i}].output`),
  }))
  const { weightsSizeBytes } = header
  const program = { symbols, values, steps, inputs, outputs, states, weightsSizeBytes }
  validateProgram(program)
  return program
}
