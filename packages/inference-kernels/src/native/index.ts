// SPDX-License-Identifier: Apache-2.0

export {
  createNativeKernels,
  listNativeIsas,
  type NativeKernelsOptions,
  nativeKernels,
} from './native-kernels.ts'
