// SPDX-License-Identifier: Apache-2.0

export { referenceKernels } from './reference-kernels.ts'
