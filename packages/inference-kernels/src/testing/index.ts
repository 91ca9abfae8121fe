// SPDX-License-Identifier: Apache-2.0

export { type KernelCase, type KernelSuiteOptions, kernelCases } from './kernel-suite.ts'
export { noActivation, ProgramBuilder } from './program-builder.ts'
export { SeededRandom } from './random.ts'
export { runProgram } from './run-program.ts'
export { denseProgram, imageProgram } from './sample-programs.ts'
