// SPDX-License-Identifier: Apache-2.0
import { panelCount } from '../program/layouts.ts'
import { stepInputs } from '../program/step-schema.ts'
import type { Program, ProgramStep, ProgramValue } from '../program/types.ts'

/** A weights value that a step can take from a ring of pages. */
export interface Streamable {
  readonly value: number
  readonly offsetBytes: number
  readonly sizeBytes: number
  /** What has to be in memory at once at least: a panel where the step can be split by output columns, else all of it. */
  readonly pieceSizeBytes: number
}

/** What is smaller stays in memory: opening a page for it would cost more than it takes. */
const smallestSizeBytes = 16_384

function weightsOf(step: ProgramStep): number | null {
  return step.op === 'conv2d' || step.op === 'dense' || step.op === 'depthwiseConv2d' ? step.weights : null
}

function pieceOf(step: ProgramStep, { dims, layout }: ProgramValue, sizeBytes: number): number {
  const isSplit = step.op === 'dense' || (step.op === 'conv2d' && step.groups === 1)
  return isSplit && layout === 'panels16' ? sizeBytes / panelCount(layout, dims as number[]) : sizeBytes
}

/** The weights of convolutions and dense layers that nothing else reads, in the order in which they lie. */
export function streamables(program: Program): readonly Streamable[] {
  const found = new Map<number, Streamable>()
  const others = new Set<number>()
  for (const step of program.steps) {
    const weights = weightsOf(step)
    for (const [field, value] of stepInputs(step)) {
      if (value !== weights || field !== 'weights') others.add(value)
    }
    if (weights === null) continue
    const value = program.values[weights] as ProgramValue
    if (value.storage.kind !== 'weights') continue
    const { offsetBytes, sizeBytes } = value.storage
    if (sizeBytes < smallestSizeBytes) continue
    const pieceSizeBytes = Math.max(pieceOf(step, value, sizeBytes), found.get(weights)?.pieceSizeBytes ?? 0)
    found.set(weights, { value: weights, offsetBytes, sizeBytes, pieceSizeBytes })
  }
  // What shares the bytes of a value reads them too.
  for (const value of others) {
    const { storage } = program.values[value] as ProgramValue
    if (storage.kind === 'alias') others.add(storage.of)
  }
  return [...found.values()]
    .filter(({ value }) => !others.has(value))
    .sort((a, b) => a.offsetBytes - b.offsetBytes)
}
