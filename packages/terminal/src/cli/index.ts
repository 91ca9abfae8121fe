// SPDX-License-Identifier: Apache-2.0
export { addCommand, type CommandText, collect, integerOption, sizeOption } from './command.ts'
export { type CliContext, type CommonOptions, createCliContext, printReport, type Report } from './context.ts'
export { runMain } from './main.ts'
export { type CliProgram, runProgram } from './program.ts'
