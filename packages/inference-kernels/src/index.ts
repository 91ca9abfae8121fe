// SPDX-License-Identifier: Apache-2.0

export { abiVersion, alignmentBytes, panelWidth, recordWordCount } from './abi.generated.ts'
export { createSession, type MemoryBudget, type SessionOptions } from './engine/create-session.ts'
export type { MemoryReport, RunOptions, Session } from './engine/session.ts'
export type { SessionState, StateOptions } from './engine/session-state.ts'
export { type SmallestBudgetOptions, smallestBudget } from './engine/smallest-budget.ts'
export type { WeightPages } from './engine/weight-pages.ts'
export type { SealedWeights, WeightSource } from './engine/weight-source.ts'
export { KernelError, type KernelErrorCode, type KernelErrorOptions, kernelErrorTable } from './errors.ts'
export type { BoundPort, BoundTensor } from './plan/bound.ts'
export { type CoursesOptions, type ProgramCourse, planCourses } from './plan/plan-courses.ts'
export { type BoundProgram, type PlanOptions, planProgram } from './plan/plan-program.ts'
export type { BoundSegment } from './plan/program-binder.ts'
export { assertRecords, checkRecord } from './records/check.ts'
export {
  type AnyRecord,
  enumNumber,
  makeRecord,
  type OpRecordFields,
  readRecord,
  writeRecord,
} from './records/record.ts'
export { fieldOfWord, recordError, recordListError } from './records/record-error.ts'
