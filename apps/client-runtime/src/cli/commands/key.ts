// SPDX-License-Identifier: Apache-2.0
import { keyThumbprint, publicKeyToJwk, toBase64Url, wipe } from '@mlcapsule/crypto'
import { type CliContext, type CommonOptions, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { openCustomerKey } from '../../node/customer-key.ts'
import { writeWholeFile } from '../../node/files.ts'
import { openStateDir } from '../../node/state-dir.ts'
import { addStateCommand } from '../context.ts'
import { indented } from '../describe.ts'

interface KeyOptions extends CommonOptions {
  readonly state: string
  readonly output?: string
}

export function addKey(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'key',
    about: 'show the public key by which providers know you; it is made at first use',
    examples: ['key', 'key -o customer.jwk   # give this file to the provider'],
  })
    .option('-o, --output <file>', 'write it as a JSON Web Key')
    .action(async (options: KeyOptions) => {
      const state = await openStateDir(options.state)
      const pair = await openCustomerKey(state.customerKeyPath)
      wipe(pair.privateKey)
      const key = { publicKey: toBase64Url(pair.publicKey), thumbprint: keyThumbprint(pair.publicKey) }
      if (options.output !== undefined) await writeWholeFile(options.output, publicKeyToJwk(pair.publicKey))
      const pairs = [
        ['public key', key.publicKey],
        ['thumbprint', key.thumbprint],
        ...(options.output === undefined ? [] : [['file', options.output] as const]),
      ] as const
      printReport(context, options, {
        text: indented(style, pairs),
        json: { ...key, file: options.output ?? null },
      })
    })
}
