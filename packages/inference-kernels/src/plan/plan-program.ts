// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { alignmentBytes } from '../abi.generated.ts'
import { inputDims } from '../program/bind-dims.ts'
import { failProgram } from '../program/program-error.ts'
import type { Program } from '../program/types.ts'
import type { BoundPort, BoundTensor } from './bound.ts'
import { type BoundSegment, ProgramBinder } from './program-binder.ts'
import { allResident } from './weight-places.ts'

/** A program bound to the sizes of its inputs, as far as they alone determine it. */
export interface BoundProgram {
  readonly inputs: readonly BoundPort[]
  /** The whole program, or its beginning up to where elements decide how it goes on. */
  readonly segment: BoundSegment
  readonly weightsBaseBytes: number
  readonly weightsSizeBytes: number
  readonly arenaBaseBytes: number
}

export interface PlanOptions {
  /** A non-negative integer for each symbol of the program. */
  readonly symbols?: Readonly<Record<string, number>>
  /** Where the weights lie, 0 by default: a multiple of 64. The arena follows them. */
  readonly weightsBaseBytes?: number
  /** Elements of a constant, where they are at hand: steps may need them to know their sizes. */
  readonly weightsContents?: (place: BoundTensor) => TensorData | null
}

/**
 * Binds a program: puts numbers for symbols, checks every size, lays out the arena and writes the records.
 * @param program that `validateProgram` has accepted
 * @throws KernelError `PROGRAM_SYMBOL_INVALID`, `PROGRAM_INVALID`, `PROGRAM_TOO_LARGE` beyond 4 GiB,
 *   `PROGRAM_LIMIT_EXCEEDED`, `KERNEL_VALUE_INVALID` for a constant out of the range that its step allows,
 *   `KERNEL_OPTION_INVALID`
 */
export function planProgram(program: Program, options: PlanOptions = {}): BoundProgram {
  const { symbols = {}, weightsBaseBytes = 0, weightsContents = () => null } = options
  if (
    !Number.isSafeInteger(weightsBaseBytes) ||
    weightsBaseBytes < 0 ||
    weightsBaseBytes % alignmentBytes !== 0
  ) {
    failProgram('weightsBaseBytes', `expected a multiple of ${alignmentBytes}`, 'KERNEL_OPTION_INVALID')
  }
  const binder = new ProgramBinder(program, {
    weights: allResident(program, weightsBaseBytes),
    weightsContents,
  })
  const { inputs, segment } = binder.begin(inputDims(program, symbols))
  return {
    inputs,
    segment,
    weightsBaseBytes,
    weightsSizeBytes: program.weightsSizeBytes,
    arenaBaseBytes: binder.arenaBaseBytes,
  }
}
