// SPDX-License-Identifier: Apache-2.0
export { type CapsuleErrorCode, CapsuleFormatError, capsuleErrorTable } from './errors.ts'
export { type ParsedHeader, parseHeader, type TrustedPublishers } from './header/header.ts'
export { headerToJson } from './header/to-json.ts'
export type { CapsuleDescription, CapsuleHeader, ImagePreprocessing } from './header/types.ts'
export { CapsuleKeys, type PageSeals } from './keys/capsule-keys.ts'
export {
  type BlobLayout,
  type BlobName,
  blobNames,
  blobOffsetBytes,
  sealedPageSizeBytes,
} from './layout/geometry.ts'
export {
  capsuleFormatVersion,
  capsuleLimits,
  capsuleMagic,
  capsuleSuite,
  defaultPageSizeBytes,
} from './limits.ts'
export { type DefenseConfig, decodeProgramBlob, type ProgramBlob } from './program/program-blob.ts'
export { type Capsule, openCapsule, type VerifyProgress } from './read/open-capsule.ts'
export { type CapsuleSink, type MemoryCapsuleSink, memoryCapsuleSink } from './sink/sink.ts'
export { type HttpRangeSourceOptions, httpRangeSource } from './source/http-range-source.ts'
export { blobSource, memorySource, type RandomAccessSource } from './source/source.ts'
export type {
  CapsuleDescriptionInput,
  WeightStream,
  WriteCapsuleOptions,
  WriteProgress,
} from './write/options.ts'
export { type PackResult, writeCapsule } from './write/write-capsule.ts'
