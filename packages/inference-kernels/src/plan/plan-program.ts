// SPDX-License-Identifier: Apache-2.0
import { type DType, elementSizeBytes } from '@mlcapsule/contracts'
import { alignmentBytes } from '../abi.generated.ts'
import { bindDims } from '../program/bind-dims.ts'
import { assertGeometry } from '../program/geometry.ts'
import { programLimits } from '../program/limits.ts'
import { failProgram } from '../program/program-error.ts'
import type { Program, ProgramPort, ProgramStep, ProgramValue } from '../program/types.ts'
import { valueRoots } from '../program/value-roots.ts'
import { alignUp, planArena } from './arena.ts'
import { planLifetimes } from './lifetimes.ts'
import { lowerBinary, lowerSoftmax, lowerUnary } from './lower-elements.ts'
import { lowerConcat, lowerExpand, lowerPad, lowerSlice, lowerTranspose } from './lower-moves.ts'
import { lowerDense, lowerMatmul } from './lower-products.ts'
import { lowerConv2d, lowerDepthwiseConv2d, lowerPool2d } from './lower-windows.ts'
import { Lowering } from './lowering.ts'

/** An input or output of a bound program and its place in memory. */
export interface BoundPort {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly addressBytes: number
  readonly sizeBytes: number
}

/** A program with every size known, as records that kernels can load. */
export interface BoundProgram {
  /** The records, `recordWordCount` words each. */
  readonly steps: Int32Array
  /** Index of the first record of each program step, and at the end the count of all: a step may become several. */
  readonly firstRecords: Int32Array
  readonly inputs: readonly BoundPort[]
  readonly outputs: readonly BoundPort[]
  readonly weightsBaseBytes: number
  readonly weightsSizeBytes: number
  readonly arenaBaseBytes: number
  readonly arenaSizeBytes: number
  /** What the kernels' memory must hold: weights and arena. */
  readonly memorySizeBytes: number
}

export interface PlanOptions {
  /** A positive integer for each symbol of the program. */
  readonly symbols?: Readonly<Record<string, number>>
  /** Where the weights lie, 0 by default: a multiple of 64. The arena follows them. */
  readonly weightsBaseBytes?: number
}

function lowerStep(step: ProgramStep, to: Lowering): void {
  switch (step.op) {
    case 'conv2d':
      lowerConv2d(step, to)
      break
    case 'depthwiseConv2d':
      lowerDepthwiseConv2d(step, to)
      break
    case 'dense':
      lowerDense(step, to)
      break
    case 'matmul':
      lowerMatmul(step, to)
      break
    case 'pool2d':
      lowerPool2d(step, to)
      break
    case 'unary':
      lowerUnary(step, to)
      break
    case 'binary':
      lowerBinary(step, to)
      break
    case 'softmax':
      lowerSoftmax(step, to)
      break
    case 'transpose':
      lowerTranspose(step, to)
      break
    case 'concat':
      lowerConcat(step, to)
      break
    case 'slice':
      lowerSlice(step, to)
      break
    case 'pad':
      lowerPad(step, to)
      break
    case 'expand':
      lowerExpand(step, to)
      break
  }
}

/**
 * Binds a program: puts numbers for symbols, checks every size, lays out the arena and writes the records.
 * @param program that `validateProgram` has accepted
 * @throws KernelError `PROGRAM_SYMBOL_INVALID`, `PROGRAM_INVALID`, `PROGRAM_TOO_LARGE` beyond 4 GiB,
 *   `PROGRAM_LIMIT_EXCEEDED`
 */
export function planProgram(program: Program, options: PlanOptions = {}): BoundProgram {
  const { symbols = {}, weightsBaseBytes = 0 } = options
  if (
    !Number.isSafeInteger(weightsBaseBytes) ||
    weightsBaseBytes < 0 ||
    weightsBaseBytes % alignmentBytes !== 0
  ) {
    failProgram('weightsBaseBytes', `expected a multiple of ${alignmentBytes}`, 'KERNEL_OPTION_INVALID')
  }
  const dims = bindDims(program, symbols)
  assertGeometry(program, dims)
  const roots = valueRoots(program.values)
  const { blocks, blockOf } = planLifetimes(program, dims, roots)
  const arena = planArena(blocks)
  const { weightsSizeBytes } = program
  const arenaBaseBytes = alignUp(weightsBaseBytes + weightsSizeBytes)
  const memorySizeBytes = arenaBaseBytes + arena.sizeBytes
  if (memorySizeBytes > programLimits.memorySizeBytes) {
    const detail = `arena of ${arena.sizeBytes} and weights of ${weightsSizeBytes} bytes, together at most ${programLimits.memorySizeBytes}`
    failProgram('memory', detail, 'PROGRAM_TOO_LARGE')
  }

  const addresses = program.values.map((_, i) => {
    const root = roots[i] as number
    const { storage } = program.values[root] as ProgramValue
    if (storage.kind === 'weights') return weightsBaseBytes + storage.offsetBytes
    return arenaBaseBytes + (arena.offsetsBytes[blockOf[root] as number] ?? 0)
  })
  const lowering = new Lowering(program, dims, addresses)
  const firstRecords = new Int32Array(program.steps.length + 1)
  for (const [s, step] of program.steps.entries()) {
    firstRecords[s] = lowering.recordCount
    lowering.path = `steps[${s}]`
    lowerStep(step, lowering)
  }
  firstRecords[program.steps.length] = lowering.recordCount

  const bindPort = ({ name, value }: ProgramPort): BoundPort => {
    const { dtype } = program.values[value] as ProgramValue
    const shape = dims[value] as readonly number[]
    const sizeBytes = shape.reduce((size, dim) => size * dim, elementSizeBytes(dtype))
    return { name, dtype, shape, addressBytes: addresses[value] as number, sizeBytes }
  }
  return {
    steps: lowering.finish(),
    firstRecords,
    inputs: program.inputs.map(bindPort),
    outputs: program.outputs.map(bindPort),
    weightsBaseBytes,
    weightsSizeBytes,
    arenaBaseBytes,
    arenaSizeBytes: arena.sizeBytes,
    memorySizeBytes,
  }
}
