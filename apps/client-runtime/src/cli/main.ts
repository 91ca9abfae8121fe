// SPDX-License-Identifier: Apache-2.0
import { runMain } from '@mlcapsule/terminal/cli'
import { program } from './program.ts'

await runMain(program)
