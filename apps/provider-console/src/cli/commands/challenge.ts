// SPDX-License-Identifier: Apache-2.0
import { encodeTokenFile } from '@mlcapsule/attestation'
import { keyThumbprint } from '@mlcapsule/crypto'
import { fields } from '@mlcapsule/terminal'
import { type CliContext, integerOption, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { writeWholeFile } from '../../files/files.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import { fileChallengeLifetimeSeconds } from '../../service/challenges.ts'
import { withProvider } from '../../service/with-provider.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { readCapsuleId } from './license.ts'

interface CreateOptions extends StoreOptions {
  readonly capsule: string
  readonly customer: string
  readonly order?: string
  readonly output: string
  readonly days: number
  readonly force?: true
}

export function addChallenge(context: CliContext, program: Command): void {
  const { style } = context
  const challenge = program.command('challenge').description('start an activation across an air gap')
  addStoreCommand(context, challenge, {
    name: 'create',
    about: 'write a challenge file for a customer to answer with a request file',
    examples: ['challenge create --capsule model.capsule --customer customer.jwk -o challenge.jws'],
  })
    .requiredOption('--capsule <file|id>', 'the capsule')
    .requiredOption('--customer <file|key>', "the customer's public key: a JSON Web Key, or its x")
    .option('--order <id>', 'the order, where the customer has several')
    .requiredOption('-o, --output <file>', 'where to write it')
    .option(
      '--days <count>',
      'days in which it can be answered',
      integerOption(1, 31),
      fileChallengeLifetimeSeconds / 86_400,
    )
    .option('--force', 'replace a file that is there')
    .action(async (options: CreateOptions) => {
      const input = {
        capsuleId: await readCapsuleId(options.capsule),
        customer: keyThumbprint(await readPublicKey(options.customer)),
        ...(options.order === undefined ? {} : { order: options.order }),
        lifetimeSeconds: options.days * 86_400,
      }
      const issued = await withProvider({ storeDir: options.store }, (it) => it.issueChallenge(input))
      await writeWholeFile(options.output, encodeTokenFile(issued.challenge), {
        replace: options.force === true,
      })
      const pairs = [
        ['order', issued.order],
        ['until', new Date(issued.expiresAtMs).toISOString()],
      ] as const
      const text = `${style.green('wrote')} ${options.output}\n\n${fields(pairs, { indent: '  ', nameStyle: style.dim })}`
      printReport(context, options, { text, json: { file: options.output, ...issued } })
    })
}
