// SPDX-License-Identifier: Apache-2.0
import { recordEnums } from '../abi.generated.ts'
import { stridesOf } from '../plan/strides.ts'
import { boxExtent } from '../records/extent.ts'
import { enumNumber, makeRecord } from '../records/record.ts'
import { type Problem, ProblemMemory } from './problem.ts'
import type { SeededRandom } from './random.ts'

const unit = 2 ** -24
const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1)

/** Where floats go wrong if anywhere. */
const specials = [
  0,
  -0,
  1,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-40,
  -1e-40,
  1e30,
]

function sprinkle(random: SeededRandom, values: Float32Array): Float32Array {
  for (let i = 0; i < values.length / 4; i++) values[random.int(0, values.length - 1)] = random.pick(specials)
  return values
}

export async function unaryProblem(random: SeededRandom): Promise<Problem> {
  const unary = random.pick(recordEnums.unary)
  const count = random.int(1, 90)
  const values = sprinkle(random, random.floats(count, -12, 12))
  const place = new ProblemMemory(random)
  const input = place.floats(values.slice())
  const output = random.next() < 0.5 ? input : place.randomFloats(count)
  const isClamp = unary === 'clamp'
  const record = makeRecord('unary', {
    input,
    output,
    count,
    unary: enumNumber('unary', unary),
    alpha: isClamp ? -1 : 0.2,
    beta: isClamp ? 2 : 0.5,
  })
  // These subtract nearly equal numbers, so their error is one of their operands, not of their answer.
  const isCancelling = unary === 'hardswish' || unary === 'hardsigmoid'
  return {
    record,
    memory: place.build(),
    outputStart: output,
    outputEnd: output + 4 * count,
    tolerance: (i, expected) => {
      const operand = isCancelling ? Math.min(Math.abs(values[i] as number), 100) + 1 : 0
      return 8 * unit * Math.abs(expected) + 8 * unit * operand + 3e-45
    },
  }
}

export async function binaryProblem(random: SeededRandom): Promise<Problem> {
  const dims = Array.from({ length: 6 }, () => random.pick([1, 1, 2, 3, 5]))
  const dense = stridesOf(dims, 'row-major')
  const operand = () => {
    const isWhole = random.next() < 0.4
    const own = dims.map((dim) => (isWhole || random.next() < 0.6 ? dim : 1))
    const strides = isWhole
      ? dense
      : stridesOf(own, 'row-major').map((stride, d) => (own[d] === 1 ? 0 : stride))
    return { strides, count: product(own), isWhole }
  }
  const binary = random.pick(recordEnums.binary)
  const [x, y] = [operand(), operand()]
  const range = binary === 'pow' ? ([0.1, 4] as const) : ([-4, 4] as const)
  const fill = (count: number) => {
    const values = random.floats(count, ...range)
    return random.next() < 0.3 ? sprinkle(random, values) : values
  }
  const place = new ProblemMemory(random)
  const [a, b] = [place.floats(fill(x.count)), place.floats(fill(y.count))]
  const count = product(dims)
  const inPlace = random.next() < 0.5 ? (x.isWhole ? a : y.isWhole ? b : undefined) : undefined
  const output = inPlace ?? place.randomFloats(count)
  const activation = random.pick(['none', 'none', 'clamp', 'tanh', 'leakyrelu'] as const)
  const record = makeRecord('binary', {
    a,
    b,
    output,
    binary: enumNumber('binary', binary),
    dims,
    aStrides: x.strides,
    bStrides: y.strides,
    activation: enumNumber('activation', activation),
    activationAlpha: activation === 'clamp' ? 0 : 0.125,
    activationBeta: activation === 'clamp' ? 6 : 0,
  })
  return {
    record,
    memory: place.build(),
    outputStart: output,
    outputEnd: output + 4 * count,
    tolerance: (_, expected) => 16 * unit * Math.abs(expected) + 3e-45,
  }
}

export async function softmaxProblem(random: SeededRandom): Promise<Problem> {
  const [outerCount, axisCount] = [random.int(1, 4), random.int(1, 80)]
  const innerCount = random.pick([1, 1, random.int(2, 80)])
  const count = outerCount * axisCount * innerCount
  const place = new ProblemMemory(random)
  const input = place.floats(random.floats(count, -30, 30))
  const output = random.next() < 0.5 ? input : place.randomFloats(count)
  const softmax = random.int(0, 1)
  const isLog = recordEnums.softmax[softmax] === 'logsoftmax'
  return {
    record: makeRecord('softmax', { input, output, outerCount, axisCount, innerCount, softmax }),
    memory: place.build(),
    outputStart: output,
    outputEnd: output + 4 * count,
    // The argument of exp carries an error of its own size, up to 60.
    tolerance: (_, expected) =>
      isLog
        ? (axisCount + 16) * unit * (1 + Math.abs(expected))
        : (axisCount + 80) * unit * Math.abs(expected) + 3e-45,
  }
}

export async function copyProblem(random: SeededRandom): Promise<Problem> {
  const size = random.pick([1, 2, 4, 8])
  const dims = Array.from({ length: 8 }, () => random.pick([1, 1, 1, 2, 3, 4]))
  const order = dims.map((_, d) => d).sort(() => random.next() - 0.5)
  const outputStrides = new Array<number>(8).fill(0)
  let stride = random.int(1, 2)
  for (const d of order) {
    outputStrides[d] = stride
    stride *= dims[d] as number
  }
  const inputStrides = stridesOf(dims, 'row-major').map((each) => each * random.pick([1, 1, 1, -1, 0]))
  const reach = (strides: readonly number[], sign: number) =>
    strides.reduce((sum, each, d) => sum + Math.max(0, sign * each) * ((dims[d] as number) - 1), 0)
  const [before, after] = [reach(inputStrides, -1), reach(inputStrides, 1)]
  const bytes = (count: number) => Uint8Array.from({ length: count * size }, () => random.int(0, 255))
  const place = new ProblemMemory(random)
  const input = place.place(bytes(before + after + 1), size) + before * size
  const output = place.place(bytes(reach(outputStrides, 1) + 1), size)
  const memory = place.build()
  const extent = boxExtent(output, dims, outputStrides, size, memory.length)
  return {
    record: makeRecord('copy', { input, output, elementSizeBytes: size, dims, inputStrides, outputStrides }),
    memory,
    outputStart: output,
    outputEnd: extent?.end ?? output,
  }
}

export async function fillProblem(random: SeededRandom): Promise<Problem> {
  const elementSizeBytes = random.pick([1, 2, 4, 8])
  const count = random.int(0, 40)
  const place = new ProblemMemory(random)
  const output = place.place(new Uint8Array(count * elementSizeBytes), elementSizeBytes)
  const bits = random.int(-(2 ** 31), 2 ** 31 - 1)
  return {
    record: makeRecord('fill', { output, elementSizeBytes, count, bits }),
    memory: place.build(),
    outputStart: output,
    outputEnd: output + count * elementSizeBytes,
  }
}
