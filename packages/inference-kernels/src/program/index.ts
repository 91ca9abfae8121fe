// SPDX-License-Identifier: Apache-2.0

export type {
  AttributeSchema,
  AttributeValue,
} from '../operators/attributes.ts'
export { convertElements } from '../operators/elements/convert.ts'
export { OperatorFault } from '../operators/fault.ts'
export { sliceRange } from '../operators/movement/slice.ts'
export { completeAttributes, type Operator, type ResultType } from '../operators/operator.ts'
export { recurrentActivations } from '../operators/products/recurrent-activations.ts'
export { operatorNames, operatorOf } from '../operators/registry.ts'
export { extentOf, type WindowAttributes, windowAxes } from '../operators/windows/axes.ts'
export { type TransposedAttributes, transposedAxes } from '../operators/windows/conv-transpose.ts'
export type { BoundPort, BoundTensor } from '../plan/bound.ts'
export { type BoundProgram, type PlanOptions, planProgram } from '../plan/plan-program.ts'
export type { BoundSegment } from '../plan/program-binder.ts'
export { inputDims } from './bind-dims.ts'
export { broadcastDims } from './broadcast.ts'
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
export { packQuantizedPanel, type QuantizedColumn } from './quantized-panels.ts'
export { stepInputs } from './step-schema.ts'
export type {
  Activation,
  BinaryKind,
  Dimension,
  Layout,
  Pads,
  Pair,
  Program,
  ProgramPort,
  ProgramState,
  ProgramStep,
  ProgramValue,
  Quantization,
  StepOp,
  Storage,
  UnaryKind,
} from './types.ts'
export { validateProgram } from './validate.ts'
