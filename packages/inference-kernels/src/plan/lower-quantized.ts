// SPDX-License-Identifier: Apache-2.0
import type { ProgramStep, Quantization } from '../program/types.ts'
import { flagsOf, windowFields } from './lower-windows.ts'
import type { Lowering } from './lowering.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

const sumFields = ({ scale, zero, low, high }: Quantization) => ({
  sumScale: scale,
  sumZero: zero,
  sumLow: low,
  sumHigh: high,
})

export function lowerQuantizedConv2d(step: StepOf<'quantizedConv2d'>, to: Lowering): void {
  const weights = to.place(step.weights)
  const input = to.place(step.input)
  const [outputChannels = 1, , kernelHeight = 1, kernelWidth = 1] = weights.dims
  to.add('quantizedConv2d', {
    ...windowFields(step, input, to.place(step.output), [kernelHeight, kernelWidth]),
    weights: weights.addressBytes,
    residual: to.addressOrZero(step.residual),
    inputChannels: input.dims[1] ?? 1,
    outputChannels,
    groups: step.groups,
    flags: flagsOf(null, step.residual),
    inputZero: step.inputZero,
    ...step.quantization,
    residualScale: step.residualScale,
    residualZero: step.residualZero,
    ...sumFields(step.sumQuantization),
  })
}

/** An image of one column, whose pixels are the rows. */
export function lowerQuantizedDense(step: StepOf<'quantizedDense'>, to: Lowering): void {
  const weights = to.place(step.weights)
  const output = to.place(step.output)
  const [innerCount = 1, columnCount = 1] = weights.dims
  const rowCount = output.elementCount / columnCount
  to.add('quantizedConv2d', {
    input: to.place(step.input).addressBytes,
    weights: weights.addressBytes,
    residual: 0,
    output: output.addressBytes,
    batch: 1,
    inputHeight: rowCount,
    inputWidth: 1,
    inputChannels: innerCount,
    outputHeight: rowCount,
    outputWidth: 1,
    outputChannels: columnCount,
    kernelHeight: 1,
    kernelWidth: 1,
    strideHeight: 1,
    strideWidth: 1,
    padTop: 0,
    padLeft: 0,
    dilationHeight: 1,
    dilationWidth: 1,
    groups: 1,
    flags: 0,
    inputZero: step.inputZero,
    ...step.quantization,
    residualScale: 0,
    residualZero: 0,
    ...sumFields({ scale: 1, zero: 0, low: 0, high: 0 }),
  })
}

export function lowerQuantize(step: StepOf<'quantize'>, to: Lowering): void {
  const input = to.place(step.input)
  to.add('quantize', {
    input: input.addressBytes,
    output: to.place(step.output).addressBytes,
    count: input.elementCount,
    ...step.quantization,
  })
}

export function lowerDequantize(step: StepOf<'dequantize'>, to: Lowering): void {
  const input = to.place(step.input)
  to.add('dequantize', {
    input: input.addressBytes,
    output: to.place(step.output).addressBytes,
    count: input.elementCount,
    scale: step.scale,
    zero: step.zero,
  })
}

export function lowerQuantizedAdd(step: StepOf<'quantizedAdd'>, to: Lowering): void {
  const output = to.place(step.output)
  to.add('quantizedAdd', {
    a: to.place(step.a).addressBytes,
    b: to.place(step.b).addressBytes,
    output: output.addressBytes,
    count: output.elementCount,
    aScale: step.aScale,
    aZero: step.aZero,
    bScale: step.bScale,
    bZero: step.bZero,
    ...step.quantization,
  })
}

export function lowerQuantizedMaxPool2d(step: StepOf<'quantizedMaxPool2d'>, to: Lowering): void {
  const input = to.place(step.input)
  to.add('quantizedMaxPool2d', {
    ...windowFields(step, input, to.place(step.output), step.kernel),
    channels: input.dims[1] ?? 1,
  })
}
