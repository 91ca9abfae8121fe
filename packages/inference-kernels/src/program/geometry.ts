// SPDX-License-Identifier: Apache-2.0

import { assertBoxStep, assertDims, type StepDims } from './geometry-boxes.ts'
import { packedSizeBytes } from './layouts.ts'
import { failProgram } from './program-error.ts'
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
    const isHangingOver = step.op === 'pool2d' && actual === ceil
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
  step: Windowed & { op: 'conv2d' | 'depthwiseConv2d' },
  at: StepDims,
): void {
  const [batch = 0, inputChannels = 0] = at.dims(step.input)
  const weights = at.dims(step.weights)
  const [outputChannels = 0, channelsPerGroup = 0, kernelHeight = 0, kernelWidth = 0] = weights
  const groups = step.op === 'conv2d' ? step.groups : inputChannels
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
  const { storage, layout } = program.values[step.weights] as ProgramValue
  const sizeBytes = packedSizeBytes(layout, weights, step.op === 'conv2d' ? groups : 1)
  if (storage.kind !== 'weights' || storage.sizeBytes !== sizeBytes) {
    failProgram(`${at.path}.weights`, `expected ${sizeBytes} packed bytes`)
  }
  const output = at.dims(step.output)
  assertDims(output.slice(0, 2), [batch, outputChannels], `${at.path}.output`)
  assertWindows(step, [kernelHeight, kernelWidth], at.dims(step.input), output, at.path)
  if (step.bias !== null) assertDims(at.dims(step.bias), [outputChannels], `${at.path}.bias`)
  if (step.op === 'conv2d' && step.residual !== null)
    assertDims(at.dims(step.residual), output, `${at.path}.residual`)
}

function assertDense(step: Extract<ProgramStep, { op: 'dense' }>, at: StepDims): void {
  const input = at.dims(step.input)
  const [innerCount = 0, columnCount = 0] = at.dims(step.weights)
  assertDims(input.slice(-1), [innerCount], `${at.path}.input`)
  const output = [...input.slice(0, -1), columnCount]
  assertDims(at.dims(step.output), output, `${at.path}.output`)
  if (step.bias !== null) assertDims(at.dims(step.bias), [columnCount], `${at.path}.bias`)
  if (step.residual !== null) assertDims(at.dims(step.residual), output, `${at.path}.residual`)
}

function assertStep(program: Program, step: ProgramStep, at: StepDims): void {
  switch (step.op) {
    case 'conv2d':
    case 'depthwiseConv2d':
      assertConv(program, step, at)
      break
    case 'dense':
      assertDense(step, at)
      break
    case 'pool2d': {
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
 * Checks the sizes of all steps and aliases.
 * @param dims concrete logical dims, one list per value
 * @throws KernelError `PROGRAM_INVALID` naming step and operand
 */
export function assertGeometry(program: Program, dims: readonly (readonly number[])[]): void {
  validateAliasSizes(program, dims)
  for (const [i, step] of program.steps.entries()) {
    assertStep(program, step, { path: `steps[${i}]`, dims: (value) => dims[value] as readonly number[] })
  }
}
