// SPDX-License-Identifier: Apache-2.0
import { recordFlags } from '../abi.generated.ts'
import type { Activation, Pair, ProgramStep } from '../program/types.ts'
import { enumNumber } from '../records/record.ts'
import type { Lowering, PlacedValue } from './lowering.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

export function activationFields({ kind, alpha, beta }: Activation) {
  return { activation: enumNumber('activation', kind), activationAlpha: alpha, activationBeta: beta }
}

export function flagsOf(bias: number | null, residual: number | null): number {
  return (bias === null ? 0 : recordFlags.hasBias) | (residual === null ? 0 : recordFlags.hasResidual)
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
  const weights = to.place(step.weights)
  const input = to.place(step.input)
  const [outputChannels = 1, , kernelHeight = 1, kernelWidth = 1] = weights.dims
  to.add('conv2d', {
    ...windowFields(step, input, to.place(step.output), [kernelHeight, kernelWidth]),
    weights: weights.addressBytes,
    bias: to.addressOrZero(step.bias),
    residual: to.addressOrZero(step.residual),
    inputChannels: input.dims[1] ?? 1,
    outputChannels,
    groups: step.groups,
    flags: flagsOf(step.bias, step.residual),
    ...activationFields(step.activation),
  })
}

export function lowerDepthwiseConv2d(step: StepOf<'depthwiseConv2d'>, to: Lowering): void {
  const weights = to.place(step.weights)
  const [channels = 1, , kernelHeight = 1, kernelWidth = 1] = weights.dims
  to.add('depthwiseConv2d', {
    ...windowFields(step, to.place(step.input), to.place(step.output), [kernelHeight, kernelWidth]),
    weights: weights.addressBytes,
    bias: to.addressOrZero(step.bias),
    channels,
    flags: flagsOf(step.bias, null),
    ...activationFields(step.activation),
  })
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
