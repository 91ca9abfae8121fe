// SPDX-License-Identifier: Apache-2.0

import { broadcastDims } from './broadcast.ts'
import { assertBoxStep, assertDims, type StepDims } from './geometry-boxes.ts'
import { packedSizeBytes } from './layouts.ts'
import { failProgram } from './program-error.ts'
import { stepInputs } from './step-schema.ts'
import type { Pads, Pair, Program, ProgramStep, ProgramValue } from './types.ts'
import { validateAliasSizes } from './validate-values.ts'

type Windowed = Extract<ProgramStep, { readonly strides: Pair }>

/** Output size of a window that moves over one padded dimension, rounded down or up. */
function windowCount(
  size: number,
  before: number,
  after: number,
  window: number,
  stride: number,
  round: 'floor' | 'ceil',
) {
  return Math[round]((size + before + after - window) / stride) + 1
}

function assertWindows(
  step: Windowed,
  kernel: Pair,
  input: readonly number[],
  output: readonly number[],
  path: string,
) {
  const pads: Pads = step.pads
  for (const axis of [0, 1] as const) {
    const size = input[axis + 2] as number
    const window = step.dilations[axis] * (kernel[axis] - 1) + 1
    const [before, after] = [pads[axis], pads[(axis + 2) as 2 | 3]]
    const floor = windowCount(size, before, after, window, step.strides[axis], 'floor')
    const ceil = windowCount(size, before, after, window, step.strides[axis], 'ceil')
    const actual = output[axis + 2] as number
    const isPool = step.op === 'pool2d' || step.op === 'quantizedMaxPool2d'
    const isHangingOver = isPool && actual === ceil
    if (floor < 1 || (actual !== floor && !isHangingOver)) {
      const name = axis === 0 ? 'height' : 'width'
      failProgram(
        `${path}.output`,
        `expected ${name} ${floor}, got ${actual} (input ${size}, window ${window})`,
      )
    }
  }
}

function assertConv(
  program: Program,
  step: Windowed & { op: 'conv2d' | 'depthwiseConv2d' | 'quantizedConv2d' },
  at: StepDims,
): void {
  const [batch = 0, inputChannels = 0] = at.dims(step.input)
  const weights = at.dims(step.weights)
  const [outputChannels = 0, channelsPerGroup = 0, kernelHeight = 0, kernelWidth = 0] = weights
  const groups = step.op === 'depthwiseConv2d' ? inputChannels : step.groups
  if (inputChannels % groups !== 0 || outputChannels % groups !== 0) {
    failProgram(
      `${at.path}.groups`,
      `${groups} does not divide ${inputChannels} and ${outputChannels} channels`,
    )
  }
  if (step.op === 'depthwiseConv2d')
    assertDims(weights, [inputChannels, 1, kernelHeight, kernelWidth], `${at.path}.weights`)
  if (channelsPerGroup !== inputChannels / groups) {
    failProgram(`${at.path}.weights`, `expected ${inputChannels / groups} channels, got ${channelsPerGroup}`)
  }
  const { storage, layout, dtype } = program.values[step.weights] as ProgramValue
  const sizeBytes = packedSizeBytes(layout, weights, step.op === 'depthwiseConv2d' ? 1 : groups, dtype)
  if (storage.kind !== 'weights' || storage.sizeBytes !== sizeBytes) {
    failProgram(`${at.path}.weights`, `expected ${sizeBytes} packed bytes`)
  }
  const output = at.dims(step.output)
  assertDims(output.slice(0, 2), [batch, outputChannels], `${at.path}.output`)
  assertWindows(step, [kernelHeight, kernelWidth], at.dims(step.input), output, at.path)
  if (step.op !== 'quantizedConv2d' && step.bias !== null)
    assertDims(at.dims(step.bias), [outputChannels], `${at.path}.bias`)
  if (step.op !== 'depthwiseConv2d' && step.residual !== null)
    assertDims(at.dims(step.residual), output, `${at.path}.residual`)
  if (step.op === 'conv2d' && step.scales !== undefined)
    assertDims(at.dims(step.scales), [outputChannels], `${at.path}.scales`)
}

function assertDense(step: Extract<ProgramStep, { op: 'dense' | 'quantizedDense' }>, at: StepDims): void {
  const input = at.dims(step.input)
  const [innerCount = 0, columnCount = 0] = at.dims(step.weights)
  assertDims(input.slice(-1), [innerCount], `${at.path}.input`)
  const output = [...input.slice(0, -1), columnCount]
  assertDims(at.dims(step.output), output, `${at.path}.output`)
  if (step.op === 'quantizedDense') return
  if (step.bias !== null) assertDims(at.dims(step.bias), [columnCount], `${at.path}.bias`)
  if (step.residual !== null) assertDims(at.dims(step.residual), output, `${at.path}.residual`)
  if (step.scales !== undefined) assertDims(at.dims(step.scales), [columnCount], `${at.path}.scales`)
}

/** A step that kernels run, as opposed to operators and branches. */
export type KernelStep = Exclude<ProgramStep, { readonly op: 'operator' | 'if' }>

function assertStep(program: Program, step: KernelStep, at: StepDims): void {
  switch (step.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'quantizedConv2d':
      assertConv(program, step, at)
      break
    case 'dense':
    case 'quantizedDense':
      assertDense(step, at)
      break
    case 'pool2d':
    case 'quantizedMaxPool2d': {
      const [batch = 0, channels = 0] = at.dims(step.input)
      const output = at.dims(step.output)
      assertDims(output.slice(0, 2), [batch, channels], `${at.path}.output`)
      assertWindows(step, step.kernel, at.dims(step.input), output, at.path)
      break
    }
    default:
      assertBoxStep(program, step, at)
      break
  }
}

/**
 * Checks the sizes of one step.
 * @param dims concrete logical dims of what it reads and writes
 * @throws KernelError `PROGRAM_INVALID` naming step and operand
 */
export function assertStepGeometry(
  program: Program,
  step: KernelStep,
  stepIndex: number,
  dims: (value: number) => readonly number[],
): void {
  assertStep(program, step, { path: `steps[${stepIndex}]`, dims })
}

/**
 * Checks the sizes of all steps and aliases of which every size is known.
 * @param dims concrete logical dims of each value; undefined where they are not known
 * @throws KernelError `PROGRAM_INVALID` naming step and operand
 */
export function assertGeometry(program: Program, dims: readonly (readonly number[] | undefined)[]): void {
  validateAliasSizes(program, dims)
  const isKnown = (value: number) => dims[value] !== undefined
  for (const [i, step] of program.steps.entries()) {
    if (step.op === 'operator' || step.op === 'if') continue
    if (!isKnown(step.output) || !stepInputs(step).every(([, value]) => isKnown(value))) continue
    assertStepGeometry(program, step, i, (value) => dims[value] as readonly number[])
  }
}

/**
 * Dims that a step's output has, worked out from what it reads: null for steps whose output's dims have to be declared.
 * Where ONNX leaves a choice (the last window of a pool) the smaller one.
 */
export function inferDims(
  step: KernelStep,
  dims: (value: number) => readonly number[],
): readonly number[] | null {
  switch (step.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
    case 'quantizedConv2d': {
      const [outputChannels = 0, , ...kernel] = dims(step.weights)
      return [dims(step.input)[0] ?? 0, outputChannels, ...windowCounts(step, kernel, dims(step.input))]
    }
    case 'pool2d':
    case 'quantizedMaxPool2d':
      return [...dims(step.input).slice(0, 2), ...windowCounts(step, step.kernel, dims(step.input))]
    case 'dense':
    case 'quantizedDense':
      return [...dims(step.input).slice(0, -1), dims(step.weights)[1] ?? 0]
    case 'matmul': {
      const [a, b] = [dims(step.a), dims(step.b)]
      const batch = broadcastDims(a.slice(0, -2), b.slice(0, -2))
      return batch === null ? null : [...batch, a.at(-2) ?? 0, b.at(-1) ?? 0]
    }
    case 'binary':
      return broadcastDims(dims(step.a), dims(step.b))
    case 'quantizedAdd':
      return dims(step.a)
    case 'unary':
    case 'softmax':
    case 'quantize':
    case 'dequantize':
      return dims(step.input)
    case 'transpose':
      return step.permutation.map((d) => dims(step.input)[d] ?? 0)
    case 'concat': {
      const first = dims(step.inputs[0] as number)
      if (step.axis >= first.length) return null
      const size = step.inputs.reduce((sum, value) => sum + (dims(value)[step.axis] ?? 0), 0)
      return first.with(step.axis, size)
    }
    default:
      return null
  }
}

function windowCounts(step: Windowed, kernel: readonly number[], input: readonly number[]): number[] {
  return ([0, 1] as const).map((axis) => {
    const window = step.dilations[axis] * ((kernel[axis] ?? 1) - 1) + 1
    const [before, after] = [step.pads[axis], step.pads[(axis + 2) as 2 | 3]]
    return windowCount(input[axis + 2] ?? 0, before, after, window, step.strides[axis], 'floor')
  })
}
