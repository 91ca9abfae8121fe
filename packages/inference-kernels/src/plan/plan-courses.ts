// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { inputDims } from '../program/bind-dims.ts'
import { isOfSizes } from '../program/program-error.ts'
import type { Program } from '../program/types.ts'
import type { BoundTensor } from './bound.ts'
import { type BoundSegment, ProgramBinder } from './program-binder.ts'
import { allResident } from './weight-places.ts'

/** One of the ways that a program may go for inputs of given sizes, as far as these sizes determine it. */
export interface ProgramCourse {
  /** The steps that run, in order: not those whose results are known beforehand. */
  readonly stepIndices: readonly number[]
  /** Dims of each value that is bound by then. */
  readonly dims: readonly (readonly number[] | undefined)[]
  readonly arenaSizeBytes: number
  readonly recordsSizeBytes: number
  /** The step whose sizes depend on elements, at which this course can be followed no further; null at the end. */
  readonly openStep: number | null
}

export interface CoursesOptions {
  /** A non-negative integer for each symbol of the program. */
  readonly symbols?: Readonly<Record<string, number>>
  /** Elements of a constant, by its place among the weights, where they are at hand. */
  readonly weightsContents?: (place: BoundTensor) => TensorData | null
  /** Courses that are followed at most, 64 by default. */
  readonly maxCourseCount?: number
}

/** Segments that are bound at most: a program may have thousands of conditions. */
const boundSegmentCount = 1024

/** A part of a course: segments up to a condition. */
interface Path {
  readonly segment: BoundSegment
  readonly stepIndices: readonly number[]
  readonly recordsSizeBytes: number
}

function extended(segment: BoundSegment, before?: Path): Path {
  const kernels = [...segment.firstRecords.keys()]
  const operators = segment.actions.flatMap((it) => (it.kind === 'operator' ? [it.call.stepIndex] : []))
  return {
    segment,
    stepIndices: [...(before?.stepIndices ?? []), ...[...kernels, ...operators].sort((a, b) => a - b)],
    recordsSizeBytes: (before?.recordsSizeBytes ?? 0) + segment.records.byteLength,
  }
}

/**
 * Plans a program both ways at each `if` whose condition a query decides, until elements decide on sizes. A way that does not
 * take these sizes is left out.
 * @param program that `validateProgram` has accepted
 * @returns `isComplete` says whether all ways are among the courses
 * @throws KernelError as `planProgram`
 */
export function planCourses(
  program: Program,
  options: CoursesOptions = {},
): { readonly courses: readonly ProgramCourse[]; readonly isComplete: boolean } {
  const { symbols = {}, weightsContents = () => null, maxCourseCount = 64 } = options
  const binder = new ProgramBinder(program, { weights: allResident(program, 0), weightsContents })
  const courses: ProgramCourse[] = []
  let segmentCount = 1
  let fault: unknown
  const open = [extended(binder.begin(inputDims(program, symbols)).segment)]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const { continuation, wanted, arenaSizeBytes } = path.segment
    const { state } = continuation
    const at = wanted === null ? null : (state.frames.at(-1)?.next ?? null)
    if (at !== null && program.steps[at]?.op === 'if' && segmentCount < boundSegmentCount) {
      segmentCount += 2
      for (const condition of [0, 1]) {
        try {
          open.push(extended(binder.resume(continuation, [Uint8Array.of(condition)]), path))
        } catch (error) {
          // Exporters write branches that fit other sizes: a query of these sizes fails there, or never goes there.
          if (!isOfSizes(error)) throw error
          fault ??= error
        }
      }
      continue
    }
    const { stepIndices, recordsSizeBytes } = path
    courses.push({ stepIndices, dims: state.dims, arenaSizeBytes, recordsSizeBytes, openStep: at })
    if (courses.length === maxCourseCount && open.length > 0) return { courses, isComplete: false }
  }
  if (courses.length === 0) throw fault
  return { courses, isComplete: segmentCount < boundSegmentCount }
}
