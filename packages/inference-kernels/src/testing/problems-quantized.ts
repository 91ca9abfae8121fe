// SPDX-License-Identifier: Apache-2.0
import { panelWidth, recordFlags } from '../abi.generated.ts'
import { quantizedPanelSizeBytes } from '../program/quantized-panels.ts'
import { makeRecord } from '../records/record.ts'
import { type Problem, ProblemMemory } from './problem.ts'
import { image } from './problems-products.ts'
import type { SeededRandom } from './random.ts'

const bytes = (random: SeededRandom, count: number) =>
  Uint8Array.from({ length: count }, () => random.pick([0, 255, random.int(0, 255)]))

/** A zero point and bounds of bytes. */
function range(random: SeededRandom) {
  const [zero, low] = [random.int(0, 255), random.pick([0, 0, random.int(0, 100)])]
  return { zero, low, high: random.pick([255, 255, random.int(low, 255)]) }
}

/** Panels with biases and multipliers that bring sums into the range of bytes, and some beyond it. */
function panels(random: SeededRandom, panelCount: number, innerCount: number, panelSizeBytes: number) {
  const data = bytes(random, panelCount * panelSizeBytes)
  const view = new DataView(data.buffer)
  for (let panel = 0; panel < panelCount; panel++) {
    for (let n = 0; n < panelWidth; n++) {
      const at = panel * panelSizeBytes + 4 * n
      view.setInt32(at, random.pick([random.int(-9999, 9999), random.int(-(2 ** 31), 2 ** 31 - 1)]), true)
      view.setFloat32(at + 64, random.pick([0.5, random.next()]) / (innerCount * 100), true)
    }
  }
  return data
}

export async function quantizedConv2dProblem(random: SeededRandom): Promise<Problem> {
  const windows = image(random)
  const groups = random.pick([1, 1, 1, 2, 3])
  const inputChannels = groups * random.int(1, random.pick([4, 40]))
  const outputChannels = groups * random.int(1, random.pick([8, 70]))
  const inputCount = windows.batch * windows.inputHeight * windows.inputWidth * inputChannels
  const outputCount = windows.batch * windows.outputHeight * windows.outputWidth * outputChannels
  const tapCount = windows.kernelHeight * windows.kernelWidth
  const panelCount = groups * Math.ceil(outputChannels / groups / panelWidth)
  const panelSizeBytes = quantizedPanelSizeBytes(inputChannels / groups, tapCount)
  const place = new ProblemMemory(random)
  const input = place.place(bytes(random, inputCount), 1)
  const weights = place.place(
    panels(random, panelCount, (tapCount * inputChannels) / groups, panelSizeBytes),
    64,
  )
  const output = place.place(bytes(random, outputCount), 1)
  const residual = random.next() < 0.5 ? output : place.place(bytes(random, outputCount), 1)
  const sum = range(random)
  const fields = {
    ...windows,
    ...range(random),
    input,
    weights,
    residual,
    output,
    inputChannels,
    outputChannels,
    groups,
    flags: random.pick([0, recordFlags.hasResidual]),
    inputZero: random.int(0, 255),
    scale: 0.02 + random.next(),
    residualZero: random.int(0, 255),
    residualScale: random.pick([0.5, random.next()]),
    sumZero: sum.zero,
    sumLow: sum.low,
    sumHigh: sum.high,
    sumScale: random.pick([1, 0.1 + random.next()]),
  }
  return {
    record: makeRecord('quantizedConv2d', fields),
    memory: place.build(),
    outputStart: output,
    outputEnd: output + outputCount,
  }
}

export async function quantizeProblem(random: SeededRandom): Promise<Problem> {
  const count = random.int(0, 300)
  const place = new ProblemMemory(random)
  const scale = random.pick([0.5, random.next() + 0.01])
  const values = random.floats(count).map((x) => x * 200 * scale)
  // Halves, and what is no number or beyond every bound.
  for (let i = 0; i < count; i += 7) {
    values[i] = random.pick([Number.NaN, Infinity, -Infinity, 3e38, (random.int(-300, 300) + 0.5) * scale])
  }
  const input = place.floats(values)
  const output = place.place(bytes(random, count), 1)
  const record = makeRecord('quantize', { input, output, count, scale, ...range(random) })
  return { record, memory: place.build(), outputStart: output, outputEnd: output + count }
}

export async function dequantizeProblem(random: SeededRandom): Promise<Problem> {
  const count = random.int(0, 300)
  const place = new ProblemMemory(random)
  const input = place.place(bytes(random, count), 1)
  const output = place.randomFloats(count)
  const fields = { input, output, count, zero: random.int(0, 255), scale: random.next() }
  const record = makeRecord('dequantize', fields)
  return { record, memory: place.build(), outputStart: output, outputEnd: output + 4 * count }
}

export async function quantizedAddProblem(random: SeededRandom): Promise<Problem> {
  const count = random.int(0, 300)
  const place = new ProblemMemory(random)
  const a = place.place(bytes(random, count), 1)
  const b = place.place(bytes(random, count), 1)
  const output = random.pick([a, b, place.place(bytes(random, count), 1)])
  const record = makeRecord('quantizedAdd', {
    a,
    b,
    output,
    count,
    aZero: random.int(0, 255),
    aScale: random.pick([0.25, random.next()]),
    bZero: random.int(0, 255),
    bScale: random.pick([0.25, random.next()]),
    scale: random.pick([0.5, random.next() + 0.1]),
    ...range(random),
  })
  return { record, memory: place.build(), outputStart: output, outputEnd: output + count }
}

export async function quantizedMaxPoolProblem(random: SeededRandom): Promise<Problem> {
  const windows = image(random)
  const channels = random.int(1, 40)
  const outputCount = windows.batch * windows.outputHeight * windows.outputWidth * channels
  const place = new ProblemMemory(random)
  const input = place.place(
    bytes(random, windows.batch * windows.inputHeight * windows.inputWidth * channels),
    1,
  )
  const output = place.place(bytes(random, outputCount), 1)
  const record = makeRecord('quantizedMaxPool2d', { ...windows, input, output, channels })
  return { record, memory: place.build(), outputStart: output, outputEnd: output + outputCount }
}
