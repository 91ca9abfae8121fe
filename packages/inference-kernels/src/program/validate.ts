// SPDX-License-Identifier: Apache-2.0
import { bindDims } from './bind-dims.ts'
import { assertGeometry } from './geometry.ts'
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import { stepInputs } from './step-schema.ts'
import type { Program, ProgramPort, ProgramValue } from './types.ts'
import { validateOperands } from './validate-operands.ts'
import { validateValues } from './validate-values.ts'
import { valueRoots } from './value-roots.ts'

function validateCounts(program: Program): void {
  const counts = [
    ['symbols', program.symbols.length, programLimits.symbolCount],
    ['values', program.values.length, programLimits.valueCount],
    ['steps', program.steps.length, programLimits.stepCount],
    ['inputs', program.inputs.length, programLimits.portCount],
    ['outputs', program.outputs.length, programLimits.portCount],
  ] as const
  for (const [field, count, max] of counts) {
    if (count > max)
      failProgram(field, `there are ${count}, at most ${max} are accepted`, 'PROGRAM_LIMIT_EXCEEDED')
  }
  assertInteger(program.weightsSizeBytes, 0, programLimits.memorySizeBytes, 'weightsSizeBytes')
}

function validateNames(names: readonly string[], kind: string): void {
  const seen = new Set<string>()
  for (const [i, name] of names.entries()) {
    const sizeBytes = new TextEncoder().encode(name).length
    if (sizeBytes < 1 || sizeBytes > programLimits.nameSizeBytes || !name.isWellFormed()) {
      failProgram(
        `${kind}[${i}]`,
        `expected a name of 1 to ${programLimits.nameSizeBytes} bytes, got ${sizeBytes}`,
      )
    }
    if (seen.has(name)) failProgram(`${kind}[${i}]`, `the name "${name}" is there twice`)
    seen.add(name)
  }
}

function portValue(program: Program, port: ProgramPort, field: string): ProgramValue {
  assertInteger(port.value, 0, program.values.length - 1, field)
  const value = program.values[port.value] as ProgramValue
  if (value.layout !== 'row-major') failProgram(field, `expected a row-major value, got ${value.layout}`)
  return value
}

/** Each value is written once and before it is read; aliases are not written. */
function validateOrder(program: Program): void {
  const roots = valueRoots(program.values)
  const isDefined = new Uint8Array(program.values.length)
  for (const [i, { storage }] of program.values.entries()) {
    if (storage.kind === 'weights') isDefined[i] = 1
  }
  const define = (value: number, field: string) => {
    const kind = program.values[value]?.storage.kind
    if (kind !== 'arena') failProgram(field, `only arena values are written, got storage ${kind}`)
    if (isDefined[value] === 1) failProgram(field, `value ${value} is already written`)
    isDefined[value] = 1
  }
  for (const [i, port] of program.inputs.entries()) {
    portValue(program, port, `inputs[${i}].value`)
    define(port.value, `inputs[${i}].value`)
  }
  for (const [s, step] of program.steps.entries()) {
    validateOperands(program, step, s)
    for (const [name, value] of stepInputs(step)) {
      if (isDefined[roots[value] as number] !== 1) {
        failProgram(`steps[${s}].${name}`, `value ${value} is read before it is written`)
      }
    }
    define(step.output, `steps[${s}].output`)
  }
  for (const [i, port] of program.outputs.entries()) {
    portValue(program, port, `outputs[${i}].value`)
    const root = roots[port.value] as number
    if (program.values[root]?.storage.kind !== 'arena') {
      failProgram(`outputs[${i}].value`, 'expected a value that lives in the arena')
    }
    if (isDefined[root] !== 1) failProgram(`outputs[${i}].value`, `value ${port.value} is never written`)
  }
}

/**
 * Checks that a program can be bound and run: counts, names, values, operands, order, and, where it has no symbols, the
 * sizes of every step. Sizes of a program with symbols are checked for each binding by `planProgram`.
 * @throws KernelError `PROGRAM_INVALID` or `PROGRAM_LIMIT_EXCEEDED`, naming the field and the step
 */
export function validateProgram(program: Program): void {
  validateCounts(program)
  validateNames(program.symbols, 'symbols')
  const portNames = (ports: readonly ProgramPort[]) => ports.map((port) => port.name)
  validateNames(portNames(program.inputs), 'inputs')
  validateNames(portNames(program.outputs), 'outputs')
  if (program.outputs.length === 0) failProgram('outputs', 'a program without outputs has nothing to compute')
  validateValues(program)
  validateOrder(program)
  if (program.symbols.length === 0) assertGeometry(program, bindDims(program, {}))
}
