// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { broadcastDims } from './broadcast.ts'
import { failProgram } from './program-error.ts'
import type { Program, ProgramStep, ProgramValue } from './types.ts'

/** The step being checked: where it stands, and the dims of values. */
export interface StepDims {
  readonly path: string
  dims(value: number): readonly number[]
}

type BoxStep = Exclude<
  ProgramStep,
  {
    readonly op:
      | 'conv2d'
      | 'depthwiseConv2d'
      | 'dense'
      | 'pool2d'
      | 'quantizedConv2d'
      | 'quantizedDense'
      | 'quantizedMaxPool2d'
      | 'operator'
      | 'if'
  }
>

const show = (dims: readonly number[]) => `[${dims.join(', ')}]`

export function assertDims(actual: readonly number[], expected: readonly number[], field: string): void {
  if (actual.length !== expected.length || actual.some((dim, d) => dim !== expected[d])) {
    failProgram(field, `expected dims ${show(expected)}, got ${show(actual)}`)
  }
}

function assertBroadcast(
  a: readonly number[],
  b: readonly number[],
  output: readonly number[],
  path: string,
): void {
  const dims = broadcastDims(a, b) ?? failProgram(`${path}.b`, `${show(a)} and ${show(b)} do not broadcast`)
  assertDims(output, dims, `${path}.output`)
}

function assertMatmul(step: Extract<BoxStep, { op: 'matmul' }>, at: StepDims): void {
  const a = at.dims(step.a)
  const b = at.dims(step.b)
  const output = at.dims(step.output)
  assertDims(b.slice(-2, -1), a.slice(-1), `${at.path}.b`)
  assertDims(output.slice(-2), [a.at(-2) ?? 0, b.at(-1) ?? 0], `${at.path}.output`)
  assertBroadcast(a.slice(0, -2), b.slice(0, -2), output.slice(0, -2), at.path)
}

function assertSameLayout(program: Program, input: number, output: number, at: StepDims): void {
  assertDims(at.dims(output), at.dims(input), `${at.path}.output`)
  const layouts = [input, output].map((value) => program.values[value]?.layout)
  if (layouts[0] !== layouts[1])
    failProgram(`${at.path}.output`, `expected layout ${layouts[0]}, got ${layouts[1]}`)
}

function assertSameDtype(program: Program, inputs: readonly number[], output: number, path: string): void {
  const dtype = program.values[output]?.dtype
  for (const input of inputs) {
    const given = program.values[input]?.dtype
    if (given !== dtype) failProgram(`${path}.output`, `expected dtype ${given}, got ${dtype}`)
  }
}

function assertConcat(step: Extract<BoxStep, { op: 'concat' }>, at: StepDims): void {
  const output = at.dims(step.output)
  if (step.axis >= output.length)
    failProgram(`${at.path}.axis`, `expected less than ${output.length}, got ${step.axis}`)
  let sum = 0
  for (const [i, value] of step.inputs.entries()) {
    const input = at.dims(value)
    const size = input[step.axis] ?? 0
    assertDims(input, output.with(step.axis, size), `${at.path}.inputs[${i}]`)
    sum += size
  }
  if (sum !== output[step.axis])
    failProgram(`${at.path}.output`, `expected ${sum} along the axis, got ${output[step.axis]}`)
}

function assertSlice(step: Extract<BoxStep, { op: 'slice' }>, at: StepDims): void {
  const input = at.dims(step.input)
  const output = at.dims(step.output)
  for (const name of ['starts', 'steps'] as const) {
    if (step[name].length !== input.length)
      failProgram(`${at.path}.${name}`, `expected ${input.length} entries`)
  }
  if (output.length !== input.length) failProgram(`${at.path}.output`, `expected rank ${input.length}`)
  for (const [d, size] of input.entries()) {
    const start = step.starts[d] as number
    const stride = step.steps[d] as number
    const last = start + ((output[d] as number) - 1) * stride
    if (stride === 0) failProgram(`${at.path}.steps[${d}]`, 'must not be 0')
    if (start < 0 || start >= size || last < 0 || last >= size) {
      failProgram(`${at.path}.starts[${d}]`, `${start} to ${last} leaves a dimension of ${size}`)
    }
  }
}

/** Whether a padding value can be written by a fill of this dtype. */
function isExact(dtype: DType, value: number): boolean {
  if (dtype === 'float32' || Object.is(value, 0)) return true
  if (!Number.isInteger(value) || Object.is(value, -0)) return false
  const ranges: Partial<Record<DType, readonly [number, number]>> = {
    bool: [0, 1],
    uint8: [0, 255],
    int8: [-128, 127],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    int64: [-(2 ** 31), 2 ** 31 - 1],
  }
  const range = ranges[dtype]
  return range !== undefined && value >= range[0] && value <= range[1]
}

function assertPad(program: Program, step: Extract<BoxStep, { op: 'pad' }>, at: StepDims): void {
  const input = at.dims(step.input)
  const output = at.dims(step.output)
  if (step.before.length !== input.length)
    failProgram(`${at.path}.before`, `expected ${input.length} entries`)
  if (output.length !== input.length) failProgram(`${at.path}.output`, `expected rank ${input.length}`)
  for (const [d, size] of input.entries()) {
    const before = step.before[d] as number
    if (before < 0 || before + size > (output[d] as number)) {
      failProgram(`${at.path}.before[${d}]`, `${before} and ${size} do not fit into ${output[d]}`)
    }
  }
  const { dtype } = program.values[step.output] as ProgramValue
  if (!isExact(dtype, step.value))
    failProgram(`${at.path}.value`, `${step.value} cannot be written as ${dtype}`)
}

/** Steps over boxes of elements: broadcasting, and moving. */
export function assertBoxStep(program: Program, step: BoxStep, at: StepDims): void {
  switch (step.op) {
    case 'matmul':
      assertMatmul(step, at)
      break
    case 'unary':
    case 'quantize':
    case 'dequantize':
      assertSameLayout(program, step.input, step.output, at)
      break
    case 'quantizedAdd':
      assertSameLayout(program, step.a, step.output, at)
      assertSameLayout(program, step.b, step.output, at)
      break
    case 'softmax': {
      const rank = at.dims(step.input).length
      if (step.axis >= rank) failProgram(`${at.path}.axis`, `expected less than ${rank}, got ${step.axis}`)
      assertSameLayout(program, step.input, step.output, at)
      break
    }
    case 'binary':
      assertBroadcast(at.dims(step.a), at.dims(step.b), at.dims(step.output), at.path)
      break
    case 'transpose': {
      const input = at.dims(step.input)
      const isPermutation = [...step.permutation].sort((a, b) => a - b).every((d, i) => d === i)
      if (!isPermutation || step.permutation.length !== input.length) {
        failProgram(`${at.path}.permutation`, `expected the numbers 0 to ${input.length - 1}, each once`)
      }
      const expected = step.permutation.map((d) => input[d] as number)
      assertDims(at.dims(step.output), expected, `${at.path}.output`)
      assertSameDtype(program, [step.input], step.output, at.path)
      break
    }
    case 'concat':
      assertSameDtype(program, step.inputs, step.output, at.path)
      assertConcat(step, at)
      break
    case 'slice':
      assertSameDtype(program, [step.input], step.output, at.path)
      assertSlice(step, at)
      break
    case 'pad':
      assertSameDtype(program, [step.input], step.output, at.path)
      assertPad(program, step, at)
      break
    case 'expand':
      assertSameDtype(program, [step.input], step.output, at.path)
      assertBroadcast(at.dims(step.input), at.dims(step.output), at.dims(step.output), at.path)
      break
  }
}
