// SPDX-License-Identifier: Apache-2.0
import { fields } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { makeKeys } from '../../keys/keygen.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

export function addKeygen(context: CliContext, program: Command): void {
  const { style } = context
  addStoreCommand(context, program, {
    name: 'keygen',
    about: 'make the keys of a provider; existing ones are never overwritten',
    examples: ['keygen', 'keygen --store /srv/mlcapsule'],
  }).action(async (options: StoreOptions) => {
    const made = await makeKeys(options.store)
    const { publisher, authority } = made
    const text = [
      `${style.green('made')} the provider's keys in ${made.keysDir}`,
      '',
      fields(
        [
          ['publisher', publisher.thumbprint],
          ['authority', authority.thumbprint],
          ['give clients', publisher.publicKeyFile],
        ],
        { indent: '  ', nameStyle: style.dim },
      ),
      '',
      'Keep a copy of the folder in another, safe place: without these keys no capsule can be unlocked.',
    ]
    printReport(context, options, { text: text.join('\n'), json: made })
  })
}
