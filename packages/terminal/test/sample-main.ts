// SPDX-License-Identifier: Apache-2.0
import { runMain } from '../src/cli/index.ts'
import { sampleProgram } from './sample-program.ts'

await runMain(sampleProgram)
