// SPDX-License-Identifier: Apache-2.0
import { formatCount } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { readTokenFile } from '../../files/files.ts'
import { withProvider } from '../../service/with-provider.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

export function addStatements(context: CliContext, program: Command): void {
  const { style } = context
  const statements = program.command('statements').description('what enclaves report of their use')
  addStoreCommand(context, statements, {
    name: 'import <files...>',
    about: 'take in usage statements, in the order in which the enclave made them',
    examples: ['statements import statement-1.jws statement-2.jws'],
  }).action(async (files: readonly string[], options: StoreOptions) => {
    const taken = await withProvider({ storeDir: options.store }, async (provider) => {
      const results = []
      for (const file of files) {
        const statement = await readTokenFile(file)
        results.push({ file, ...(await provider.acceptStatement({ statement })) })
      }
      return results
    })
    const lines = taken.map(
      (it) =>
        `${style.green(it.status)} statement ${it.seq} of ${it.licenseId}: ${formatCount(it.units)} queries, ${formatCount(it.unitsTotal)} so far`,
    )
    printReport(context, options, { text: lines.join('\n'), json: taken })
  })
}
