// SPDX-License-Identifier: Apache-2.0
import { recordFlags } from '../abi.generated.ts'
import type { Activation, Pair, ProgramStep } from '../program/types.ts'
import { enumNumber } from '../records/record.ts'
import type { Lowering, PlacedValue, WeightPiece } from './lowering.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

export function activationFields({ kind, alpha, beta }: Activation) {
  return { activation: enumNumber('activation', kind), activationAlpha: alpha, activationBeta: beta }
}

export function flagsOf(bias: number | null, residual: number | null): number {
  return (bias === null ? 0 : recordFlags.hasBias) | (residual === null ? 0 : recordFlags.hasResidual)
}

/** What goes with each output column, from a piece's first one on. */
export function columnFields(
  { bias, residual, scales }: StepOf<'conv2d' | 'dense'>,
  { firstColumn }: WeightPiece,
  to: Lowering,
) {
  const from = (value: number | null) => (value === null ? 0 : to.addressOrZero(value) + 4 * firstColumn)
  return {
    bias: from(bias),
    residual: from(residual),
    weightScales: from(scales ?? null),
    flags: flagsOf(bias, residual),
  }
}

/** How the weights of a step are kept. */
export function weightsType({ weights }: StepOf<'conv2d' | 'dense'>, to: Lowering): number {
  const dtype = to.dtypeOf(weights)
  return enumNumber('weightsType', dtype === 'float16' ? 'f16' : dtype === 'int8' ? 'i8' : 'f32')
}

export function windowFields(
  step: StepOf<'conv2d' | 'depthwiseConv2d' | 'pool2d' | 'quantizedConv2d' | 'quantizedMaxPool2d'>,
  input: PlacedValue,
  output: PlacedValue,
  kernel: Pair,
) {
  const [batch = 1, , inputHeight = 1, inputWidth = 1] = input.dims
  const [, , outputHeight = 1, outputWidth = 1] = output.dims
  return {
    input: input.addressBytes,
    output: output.addressBytes,
    batch,
    inputHeight,
    inputWidth,
    outputHeight,
    outputWidth,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: step.strides[0],
    strideWidth: step.strides[1],
    padTop: step.pads[0],
    padLeft: step.pads[1],
    dilationHeight: step.dilations[0],
    dilationWidth: step.dilations[1],
  }
}

export function lowerConv2d(step: StepOf<'conv2d'>, to: Lowering): void {
  const input = to.place(step.input)
  const output = to.place(step.output)
  const dims = to.dimsOf(step.weights)
  const [outputChannels = 1, , kernelHeight = 1, kernelWidth = 1] = dims
  for (const piece of to.weightPieces(step.weights, outputChannels, step.groups === 1)) {
    to.add('conv2d', {
      ...windowFields(step, input, output, [kernelHeight, kernelWidth]),
      weights: piece.addressBytes,
      ...columnFields(step, piece, to),
      output: output.addressBytes + 4 * piece.firstColumn,
      inputChannels: input.dims[1] ?? 1,
      outputChannels: piece.columnCount,
      outputGap: outputChannels - piece.columnCount,
      groups: step.groups,
      ...activationFields(step.activation),
      weightsType: weightsType(step, to),
    })
  }
}

export function lowerDepthwiseConv2d(step: StepOf<'depthwiseConv2d'>, to: Lowering): void {
  const [channels = 1, , kernelHeight = 1, kernelWidth = 1] = to.dimsOf(step.weights)
  for (const { addressBytes } of to.weightPieces(step.weights, channels, false)) {
    to.add('depthwiseConv2d', {
      ...windowFields(step, to.place(step.input), to.place(step.output), [kernelHeight, kernelWidth]),
      weights: addressBytes,
      bias: to.addressOrZero(step.bias),
      channels,
      flags: flagsOf(step.bias, null),
      ...activationFields(step.activation),
    })
  }
}

export function lowerPool2d(step: StepOf<'pool2d'>, to: Lowering): void {
  const input = to.place(step.input)
  to.add('pool2d', {
    ...windowFields(step, input, to.place(step.output), step.kernel),
    channels: input.dims[1] ?? 1,
    padBottom: step.pads[2],
    padRight: step.pads[3],
    pool: enumNumber('pool', step.pool),
    countIncludePad: step.countIncludePad ? 1 : 0,
  })
}
