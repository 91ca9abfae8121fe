// SPDX-License-Identifier: Apache-2.0
import { declaredDims, entryValues } from './bind-dims.ts'
import { assertGeometry } from './geometry.ts'
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import { stepInputs, stepOutputs } from './step-schema.ts'
import type { Program, ProgramPort, ProgramStep, ProgramValue } from './types.ts'
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
    ['states', program.states.length, programLimits.stateCount],
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

/** A value that comes in or goes out. */
function outerValue(program: Program, index: number, field: string): ProgramValue {
  assertInteger(index, 0, program.values.length - 1, field)
  const value = program.values[index] as ProgramValue
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
    if (isDefined[value] !== 0) failProgram(field, `value ${value} is already written`)
    isDefined[value] = 1
  }
  for (const [i, port] of program.inputs.entries()) {
    outerValue(program, port.value, `inputs[${i}].value`)
    define(port.value, `inputs[${i}].value`)
  }
  for (const [i, { input }] of program.states.entries()) {
    outerValue(program, input, `states[${i}].input`)
    define(input, `states[${i}].input`)
  }
  const assertDefined = (value: number, field: string) => {
    if (isDefined[roots[value] as number] !== 1)
      failProgram(field, `value ${value} is read before it is written`)
  }
  /** Visits the steps from `first` to before `end`. @returns the values that they write */
  const visit = (first: number, end: number, depth: number): number[] => {
    const written: number[] = []
    for (let s = first; s < end; s++) {
      const step = program.steps[s] as ProgramStep
      const field = `steps[${s}]`
      validateOperands(program, step, s)
      for (const [name, value] of stepInputs(step)) assertDefined(value, `${field}.${name}`)
      if (step.op === 'if') s = visitBranches(step, s, end, depth)
      for (const [i, output] of stepOutputs(step).entries()) {
        define(
          output,
          step.op === 'operator' || step.op === 'if' ? `${field}.outputs[${i}]` : `${field}.output`,
        )
        written.push(output)
      }
    }
    return written
  }
  /** @returns the last step of the branches */
  const visitBranches = (
    step: Extract<ProgramStep, { readonly op: 'if' }>,
    s: number,
    end: number,
    depth: number,
  ): number => {
    const field = `steps[${s}]`
    if (depth === programLimits.branchDepth)
      failProgram(field, `more than ${depth} branches within one another`)
    const condition = program.values[step.condition] as ProgramValue
    if (condition.dtype !== 'bool') failProgram(`${field}.condition`, `expected bool, got ${condition.dtype}`)
    let at = s + 1
    for (const branch of ['then', 'else'] as const) {
      const branchEnd = at + step[`${branch}StepCount`]
      if (branchEnd > end)
        failProgram(`${field}.${branch}StepCount`, 'the branch goes beyond its surroundings')
      const written = visit(at, branchEnd, depth + 1)
      const outputs = step[`${branch}Outputs`]
      if (outputs.length !== step.outputs.length) {
        failProgram(
          `${field}.${branch}Outputs`,
          `expected ${step.outputs.length} values, got ${outputs.length}`,
        )
      }
      for (const [i, value] of outputs.entries()) {
        assertDefined(value, `${field}.${branch}Outputs[${i}]`)
        const dtype = program.values[value]?.dtype
        if (dtype !== program.values[step.outputs[i] as number]?.dtype) {
          failProgram(`${field}.${branch}Outputs[${i}]`, `dtype ${dtype} is not that of the output`)
        }
      }
      // What a branch writes cannot be read outside, nor written again.
      for (const value of written) isDefined[value] = 2
      at = branchEnd
    }
    return at - 1
  }
  visit(0, program.steps.length, 0)
  const assertGoesOut = (value: number, field: string) => {
    outerValue(program, value, field)
    const root = roots[value] as number
    if (program.values[root]?.storage.kind !== 'arena') {
      failProgram(field, 'expected a value that lives in the arena')
    }
    if (isDefined[root] !== 1) failProgram(field, `value ${value} is never written`)
  }
  for (const [i, { value }] of program.outputs.entries()) assertGoesOut(value, `outputs[${i}].value`)
  for (const [i, { output }] of program.states.entries()) assertGoesOut(output, `states[${i}].output`)
}

/** What a query leaves has to be something that the next one can begin with. */
function validateStates(program: Program): void {
  for (const [i, state] of program.states.entries()) {
    const field = `states[${i}].output`
    const input = program.values[state.input] as ProgramValue
    const output = program.values[state.output] as ProgramValue
    if (input.dims.includes(null)) failProgram(`states[${i}].input`, 'a state has no unknown dimensions')
    if (output.dtype !== input.dtype)
      failProgram(field, `dtype is ${output.dtype}, its input's ${input.dtype}`)
    const mayFit = output.dims.every(
      (dim, d) => typeof dim !== 'number' || typeof input.dims[d] !== 'number' || dim === input.dims[d],
    )
    if (output.dims.length !== input.dims.length || !mayFit) {
      failProgram(field, 'its dims can never be those of its input')
    }
  }
}

/** Each symbol is given by a dimension of some input or state. */
function validateSymbols(program: Program): void {
  const given = new Set(
    entryValues(program).flatMap((value) =>
      (program.values[value] as ProgramValue).dims.map((dim) =>
        typeof dim === 'object' ? dim?.symbol : undefined,
      ),
    ),
  )
  for (const [i, name] of program.symbols.entries()) {
    if (!given.has(i)) failProgram(`symbols[${i}]`, `no input or state has a dimension ${name}`)
  }
}

/**
 * Checks that a program can be bound and run: counts, names, values, operands, order, and the sizes of every step whose
 * operands have fixed dims. All sizes are checked again for each binding.
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
  validateStates(program)
  validateSymbols(program)
  assertGeometry(program, declaredDims(program))
}
