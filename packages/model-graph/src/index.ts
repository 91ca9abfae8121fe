// SPDX-License-Identifier: Apache-2.0

export {
  type CompiledModel,
  type CompileOptions,
  compileGraph,
  type ModelSummary,
} from './compile/compile.ts'
export { leastMemoryBudget } from './compile/memory-budget.ts'
export type { StateOption, StatePair } from './compile/states.ts'
export type { WeightsStorage, WeightsSummary } from './compile/store-weights.ts'
export type { CompiledWeights } from './compile/weights.ts'
export { ModelError, type ModelErrorCode, type ModelIssue, modelErrorTable } from './errors.ts'
export type { ConstantTensor } from './graph/constant.ts'
export type { Attributes, Dim, Graph, GraphNode, Op, Value } from './graph/graph.ts'
export { importModel, modelFormatOf } from './import-model.ts'
export type { ImportOptions } from './import-options.ts'
export type { CompiledInspection, DataDependence, SymbolSize } from './inspect/inspect-compiled.ts'
export {
  type InspectedTensor,
  type InspectOptions,
  inspectModel,
  type ModelInspection,
  type OperatorUse,
} from './inspect/inspect-model.ts'
export { modelLimits } from './limits.ts'
export { importOnnx } from './onnx/import.ts'
export { decodeTensorProto } from './onnx/tensor-proto.ts'
export {
  isSupportedOperator,
  maximumOpset,
  minimumOpset,
  type OperatorDefinition,
  operators,
} from './ops/registry.ts'
export { type ModelSource, memoryModelSource } from './source/model-source.ts'
export { importTfjs } from './tfjs/import.ts'
