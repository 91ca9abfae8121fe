// SPDX-License-Identifier: Apache-2.0
import { keyThumbprint } from '@mlcapsule/crypto'
import { type CliContext, type CommonOptions, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { pinnedPublishers, pinPublisher } from '../../node/pinned-publishers.ts'
import { readPublicKey } from '../../node/public-key.ts'
import { openStateDir } from '../../node/state-dir.ts'
import { addStateCommand } from '../context.ts'

interface TrustOptions extends CommonOptions {
  readonly state: string
}

export function addTrust(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'trust [key]',
    about:
      "pin a publisher's key, received from the provider and not with the capsule; without one, list them",
    examples: ['trust publisher.jwk', 'trust'],
  }).action(async (key: string | undefined, options: TrustOptions) => {
    const state = await openStateDir(options.state)
    if (key !== undefined) {
      const thumbprint = await pinPublisher(state, await readPublicKey(key))
      const text = `${style.green('trusted')} ${thumbprint}\n\nCompare it with what the provider tells you by another way.`
      printReport(context, options, { text, json: { pinned: thumbprint } })
      return
    }
    const thumbprints = (await pinnedPublishers(state)).map(keyThumbprint)
    const text = thumbprints.length === 0 ? 'No publisher is trusted yet.' : thumbprints.join('\n')
    printReport(context, options, { text, json: { publishers: thumbprints } })
  })
}
