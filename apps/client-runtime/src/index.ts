// SPDX-License-Identifier: Apache-2.0
export { ClientError, type ClientErrorCode, clientErrorTable, ServiceError } from './errors.ts'
export {
  type EnclaveOptions,
  type HardwareEnclaveOptions,
  type LocalEnclaveOptions,
  type OpenOptions,
  openMlCapsule,
} from './node/open.ts'
export { readPublicKey } from './node/public-key.ts'
export { defaultStateDir } from './node/state-dir.ts'
export type { Activation } from './sdk/activation.ts'
export type { RankedClass } from './sdk/classes.ts'
export type { GeneratedToken, GenerateOptions } from './sdk/generate.ts'
export type { Inputs } from './sdk/inputs.ts'
export { type ActivateOptions, type Classification, MlCapsule } from './sdk/ml-capsule.ts'
export { tensorFromNpy } from './sdk/npy.ts'
export { type Pixels, pixelsToTensor } from './sdk/preprocess.ts'
export { type ServiceClient, type ServiceClientOptions, serviceClient } from './sdk/service-client.ts'
export { tensorsFromJson } from './sdk/tensor-json.ts'
export { type VerifiedRecords, verifyRecords } from './sdk/verify-records.ts'
