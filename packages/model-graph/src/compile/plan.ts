// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { planCourses } from '@mlcapsule/inference-kernels'
import { newTensorData } from '../graph/constant.ts'
import type { LoweredGraph } from './lower.ts'
import { type Work, workOf } from './work.ts'

/** What a program needs for inputs of given sizes: the most that any course takes, as far as courses are known. */
export interface PlannedProgram {
  readonly arenaSizeBytes: number
  readonly recordsSizeBytes: number
  readonly work: Work
  /** Whether a query of these sizes can need no more than that. */
  readonly isComplete: boolean
  /** Steps that run with some query, as far as courses are known: not those whose results are known beforehand. */
  readonly stepIndices: readonly number[]
  /** Steps at which elements of a query decide how to go on. */
  readonly openSteps: readonly number[]
}

/** @param symbols a size for each symbol of the program */
export async function planned(
  { program, decisive }: LoweredGraph,
  symbols: Readonly<Record<string, number>>,
): Promise<PlannedProgram> {
  const contents = new Map<number, TensorData>()
  for (const [offsetBytes, constant] of decisive) {
    const count = constant.dims.reduce((product, dim) => product * dim, 1)
    contents.set(offsetBytes, await constant.read(0, count))
  }
  const { courses, isComplete } = planCourses(program, {
    symbols,
    weightsContents: ({ dtype, addressBytes, sizeBytes }) =>
      sizeBytes === 0 ? newTensorData(dtype, 0) : (contents.get(addressBytes) ?? null),
  })
  const works = courses.map(({ stepIndices, dims }) => workOf(program, stepIndices, dims))
  const largest = works.reduce((a, b) => (b.flopCount > a.flopCount ? b : a))
  return {
    arenaSizeBytes: Math.max(...courses.map((it) => it.arenaSizeBytes)),
    recordsSizeBytes: Math.max(...courses.map((it) => it.recordsSizeBytes)),
    work: { ...largest, uncounted: [...new Set(works.flatMap((it) => it.uncounted))] },
    isComplete: isComplete && courses.every(({ openStep }) => openStep === null),
    stepIndices: [...new Set(courses.flatMap((it) => it.stepIndices))],
    openSteps: [...new Set(courses.flatMap(({ openStep }) => (openStep === null ? [] : [openStep])))],
  }
}
