// SPDX-License-Identifier: Apache-2.0
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { addCapsuleCommand, type CapsuleCommandOptions, withCapsule } from '../context.ts'
import { indented, usageJson, usagePairs } from '../describe.ts'

export function addUsage(context: CliContext, program: Command): void {
  addCapsuleCommand(context, program, {
    name: 'usage <capsule>',
    about: "show what has been used and what is left, by the enclave's own ledger",
    examples: ['usage model.capsule', 'usage model.capsule --json'],
  }).action(async (path: string, options: CapsuleCommandOptions) => {
    const usage = await withCapsule(context, path, options, (model) => model.usage())
    printReport(context, options, {
      text: indented(context.style, usagePairs(usage)),
      json: usageJson(usage),
    })
  })
}
