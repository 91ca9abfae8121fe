// SPDX-License-Identifier: Apache-2.0
import { recordEnums, recordFlags } from '../abi.generated.ts'
import { packedColumns } from '../records/extent.ts'
import { makeRecord } from '../records/record.ts'
import { magnitudes, type Problem, ProblemMemory } from './problem.ts'
import type { SeededRandom } from './random.ts'
import { placeRandomWeights } from './random-weights.ts'

const unit = 2 ** -24

/** A random activation; no function of them is steeper than 1.5. */
function activation(random: SeededRandom) {
  const kind = random.int(0, recordEnums.activation.length - 1)
  const isClamp = recordEnums.activation[kind] === 'clamp'
  return {
    activation: kind,
    activationAlpha: isClamp ? -0.5 : 0.25,
    activationBeta: isClamp ? 1.5 : 0,
  }
}

/** Error of a sum of `termCount` products whose magnitudes add up to `magnitude`, through an activation. */
function sumTolerance(termCount: number, sums: Float32Array) {
  return (i: number, expected: number) =>
    1.5 * (termCount + 8) * unit * (sums[i] as number) + 32 * unit * (1 + Math.abs(expected))
}

/** The windows of a step over images. */
export function image(random: SeededRandom) {
  const fields = {
    batch: random.int(1, 2),
    inputHeight: random.int(1, 9),
    inputWidth: random.int(1, 9),
    kernelHeight: random.int(1, 4),
    kernelWidth: random.int(1, 4),
    strideHeight: random.int(1, 3),
    strideWidth: random.int(1, 3),
    padTop: random.int(0, 2),
    padLeft: random.int(0, 2),
    dilationHeight: random.int(1, 2),
    dilationWidth: random.int(1, 2),
  }
  const outputs = (size: number, pad: number, taps: number, dilation: number, stride: number) =>
    Math.max(1, Math.floor((size + 2 * pad - dilation * (taps - 1) - 1) / stride) + 1)
  const { inputHeight, inputWidth, padTop, padLeft, kernelHeight, kernelWidth } = fields
  return {
    ...fields,
    outputHeight: outputs(inputHeight, padTop, kernelHeight, fields.dilationHeight, fields.strideHeight),
    outputWidth: outputs(inputWidth, padLeft, kernelWidth, fields.dilationWidth, fields.strideWidth),
  }
}

export async function conv2dProblem(random: SeededRandom): Promise<Problem> {
  const windows = image(random)
  const groups = random.pick([1, 1, 1, 2, 3])
  const inputChannels = groups * random.int(1, random.pick([4, 40]))
  const outputChannels = groups * random.int(1, random.pick([8, 70]))
  const inputCount = windows.batch * windows.inputHeight * windows.inputWidth * inputChannels
  const outputGap = groups === 1 ? random.pick([0, 0, 5]) : 0
  const outputCount =
    windows.batch * windows.outputHeight * windows.outputWidth * (outputChannels + outputGap)
  const termCount = windows.kernelHeight * windows.kernelWidth * (inputChannels / groups)
  const place = new ProblemMemory(random)
  const input = place.randomFloats(inputCount)
  const columnCount = outputChannels / groups
  const weights = placeRandomWeights(place, random, { groups, columnCount, innerCount: termCount })
  const bias = place.randomFloats(outputChannels)
  const output = place.randomFloats(outputCount)
  const residual = random.next() < 0.5 ? output : place.randomFloats(outputCount)
  const flags = random.int(0, recordFlags.hasBias | recordFlags.hasResidual)
  const memory = place.build()
  const fields = {
    ...windows,
    ...activation(random),
    ...weights.fields,
    input,
    bias,
    residual,
    output,
    inputChannels,
    outputChannels,
    groups,
    flags,
    outputGap,
  }
  const sums = await magnitudes('conv2d', { ...fields, ...weights.widened }, memory, output, outputCount)
  return {
    record: makeRecord('conv2d', fields),
    memory,
    outputStart: output,
    outputEnd: output + 4 * outputCount,
    tolerance: sumTolerance(termCount, sums),
  }
}

export async function depthwiseProblem(random: SeededRandom): Promise<Problem> {
  const windows = image(random)
  const channels = random.int(1, random.pick([20, 70]))
  const inputCount = windows.batch * windows.inputHeight * windows.inputWidth * channels
  const outputCount = windows.batch * windows.outputHeight * windows.outputWidth * channels
  const termCount = windows.kernelHeight * windows.kernelWidth
  const place = new ProblemMemory(random)
  const fields = {
    ...windows,
    ...activation(random),
    input: place.randomFloats(inputCount),
    weights: place.randomFloats(packedColumns(channels) * termCount, 64),
    bias: place.randomFloats(channels),
    output: place.randomFloats(outputCount),
    channels,
    flags: random.int(0, recordFlags.hasBias),
  }
  const memory = place.build()
  const sums = await magnitudes('depthwiseConv2d', fields, memory, fields.output, outputCount)
  return {
    record: makeRecord('depthwiseConv2d', fields),
    memory,
    outputStart: fields.output,
    outputEnd: fields.output + 4 * outputCount,
    tolerance: sumTolerance(termCount, sums),
  }
}

export async function denseProblem(random: SeededRandom): Promise<Problem> {
  const [rowCount, innerCount, columnCount] = [random.int(1, 17), random.int(1, 90), random.int(1, 90)]
  const outputGap = random.pick([0, 0, 7])
  const outputCount = rowCount * (columnCount + outputGap)
  const place = new ProblemMemory(random)
  const input = place.randomFloats(rowCount * innerCount)
  const weights = placeRandomWeights(place, random, { groups: 1, columnCount, innerCount })
  const bias = place.randomFloats(columnCount)
  const output = place.randomFloats(outputCount)
  const residual = random.next() < 0.5 ? output : place.randomFloats(outputCount)
  const flags = random.int(0, recordFlags.hasBias | recordFlags.hasResidual)
  const memory = place.build()
  const counts = { rowCount, innerCount, columnCount, outputGap }
  const operands = { input, ...weights.fields, bias, residual, output }
  const fields = { ...operands, ...counts, flags, ...activation(random) }
  const sums = await magnitudes('dense', { ...fields, ...weights.widened }, memory, output, outputCount)
  return {
    record: makeRecord('dense', fields),
    memory,
    outputStart: output,
    outputEnd: output + 4 * outputCount,
    tolerance: sumTolerance(innerCount, sums),
  }
}

export async function matmulProblem(random: SeededRandom): Promise<Problem> {
  const batchCount = random.int(1, 3)
  const [rowCount, innerCount, columnCount] = [random.int(1, 20), random.int(1, 60), random.int(1, 60)]
  const aBatchStride = random.pick([0, rowCount * innerCount, rowCount * innerCount + 3])
  const bBatchStride = random.pick([0, innerCount * columnCount, innerCount * columnCount + 5])
  const outputCount = batchCount * rowCount * columnCount
  const place = new ProblemMemory(random)
  const fields = {
    a: place.randomFloats((batchCount - 1) * aBatchStride + rowCount * innerCount),
    b: place.randomFloats((batchCount - 1) * bBatchStride + innerCount * columnCount),
    output: place.randomFloats(outputCount),
    batchCount,
    rowCount,
    innerCount,
    columnCount,
    aBatchStride,
    bBatchStride,
  }
  const memory = place.build()
  const sums = await magnitudes('matmul', fields, memory, fields.output, outputCount)
  return {
    record: makeRecord('matmul', fields),
    memory,
    outputStart: fields.output,
    outputEnd: fields.output + 4 * outputCount,
    tolerance: sumTolerance(innerCount, sums),
  }
}

export async function poolProblem(random: SeededRandom): Promise<Problem> {
  const windows = image(random)
  const channels = random.int(1, 40)
  const outputCount = windows.batch * windows.outputHeight * windows.outputWidth * channels
  const place = new ProblemMemory(random)
  const values = random.floats(windows.batch * windows.inputHeight * windows.inputWidth * channels)
  if (random.next() < 0.2) values[random.int(0, values.length - 1)] = Number.NaN
  const output = place.randomFloats(outputCount)
  const pool = random.int(0, 1)
  const record = makeRecord('pool2d', {
    ...windows,
    input: place.floats(values),
    output,
    channels,
    padBottom: windows.padTop,
    padRight: windows.padLeft,
    pool,
    countIncludePad: random.int(0, 1),
  })
  const isMax = recordEnums.pool[pool] === 'max'
  const termCount = windows.kernelHeight * windows.kernelWidth
  return {
    record,
    memory: place.build(),
    outputStart: output,
    outputEnd: output + 4 * outputCount,
    tolerance: () => (isMax ? 0 : (termCount + 4) * unit),
  }
}
