// SPDX-License-Identifier: Apache-2.0

export { type BoundPort, type BoundProgram, type PlanOptions, planProgram } from '../plan/plan-program.ts'
export { bindDims } from './bind-dims.ts'
export { decodeProgram } from './decode.ts'
export { encodeProgram } from './encode.ts'
export {
  packDepthwise16,
  packedSizeBytes,
  packPanelFromColumns,
  packPanelFromRows,
  packPanels16,
  panelCount,
  panelSizeBytes,
} from './layouts.ts'
export { programLimits } from './limits.ts'
export type {
  Activation,
  BinaryKind,
  Dimension,
  Layout,
  Pads,
  Pair,
  Program,
  ProgramPort,
  ProgramStep,
  ProgramValue,
  StepOp,
  Storage,
  UnaryKind,
} from './types.ts'
export { validateProgram } from './validate.ts'
