// SPDX-License-Identifier: Apache-2.0

export {
  isMlCapsuleError,
  MlCapsuleError,
  type MlCapsuleErrorOptions,
  type SerializedError,
} from './errors/error-base.ts'
export {
  defineErrorTable,
  type ErrorInfo,
  type ErrorKind,
  type ErrorTable,
  exitCodeFor,
} from './errors/error-table.ts'
export { ContractError, type ContractErrorCode, contractErrorTable } from './errors.ts'
export type { Anchor } from './plugins/anchor.ts'
export {
  type Attester,
  type EnclaveEntry,
  type Evidence,
  type IsolationTier,
  isolationTiers,
} from './plugins/attestation.ts'
export type {
  AlarmLevel,
  AnswerVerdict,
  Defense,
  DefenseContext,
  QueryVerdict,
} from './plugins/defense.ts'
export type {
  KernelBackend,
  KernelBackendOptions,
  Kernels,
  ProgramHandle,
  SealedPages,
  WeightStream,
} from './plugins/kernel-backend.ts'
export type { Plugin, PluginKind } from './plugins/plugin.ts'
export type { StandardIssue, StandardResult, StandardSchema } from './plugins/standard-schema.ts'
export type { UsageSink } from './plugins/usage-sink.ts'
export { seededRandom } from './random/seeded-random.ts'
export {
  createRegistry,
  type Registry,
  type RegistryBuilder,
  type RegistryEntry,
} from './registry/registry.ts'
export { copyBytes, releaseMemory } from './tensor/bytes.ts'
export { classDimension } from './tensor/classes.ts'
export {
  type DType,
  dtypes,
  elementSizeBytes,
  isTensorDataOf,
  type TensorData,
  viewTensorData,
} from './tensor/dtype.ts'
export { float16Value } from './tensor/float16.ts'
export { assertTensor, elementCount, maxRank, type Tensor, type TensorSpec } from './tensor/tensor.ts'
