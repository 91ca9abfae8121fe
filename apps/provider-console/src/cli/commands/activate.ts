// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile } from '@mlcapsule/attestation'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { readTokenFile, writeWholeFile } from '../../files/files.ts'
import { withProvider } from '../../service/with-provider.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

interface ActivateOptions extends StoreOptions {
  readonly output: string
  readonly force?: true
}

export function addActivate(context: CliContext, program: Command): void {
  const { style } = context
  addStoreCommand(context, program, {
    name: 'activate <request>',
    about: 'answer an activation request file with a response file',
    examples: ['activate request.jws -o response.jws'],
  })
    .requiredOption('-o, --output <file>', 'where to write the response')
    .option('--force', 'replace a file that is there')
    .action(async (requestFile: string, options: ActivateOptions) => {
      const request = await readTokenFile(requestFile)
      const { response } = await withProvider({ storeDir: options.store }, (it) => it.activate({ request }))
      await writeWholeFile(options.output, encodeTokenFile(response), { replace: options.force === true })
      const text = `${style.green('accepted')}: the key is sealed to this enclave in ${options.output}`
      printReport(context, options, { text, json: { file: options.output, response } })
    })
}
