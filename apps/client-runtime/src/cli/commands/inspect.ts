// SPDX-License-Identifier: Apache-2.0
import { headerToJson, openCapsule } from '@mlcapsule/capsule-format'
import { fileSource } from '@mlcapsule/capsule-format/node'
import { equalBytes } from '@mlcapsule/crypto'
import { type CliContext, type CommonOptions, collect, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { pinnedPublishers } from '../../node/pinned-publishers.ts'
import { readPublicKey } from '../../node/public-key.ts'
import { openStateDir } from '../../node/state-dir.ts'
import { addStateCommand, verifyProgress } from '../context.ts'
import { headerPairs, indented } from '../describe.ts'

interface InspectOptions extends CommonOptions {
  readonly state: string
  readonly publisher?: readonly string[]
  readonly verify?: true
}

export function addInspect(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'inspect <capsule>',
    about: 'show what a capsule says of itself, and whether its publisher is trusted; needs no key',
    examples: ['inspect model.capsule', 'inspect model.capsule --verify --publisher publisher.jwk'],
  })
    .option(
      '--publisher <file|key>',
      'a trusted publisher; repeatable (default: those of `mlcapsule trust`)',
      collect,
    )
    .option('--verify', 'read the whole file and check it against the signed root')
    .action(async (path: string, options: InspectOptions) => {
      const state = await openStateDir(options.state)
      const given =
        options.publisher === undefined ? undefined : await Promise.all(options.publisher.map(readPublicKey))
      const trusted = given ?? (await pinnedPublishers(state))
      const source = await fileSource(path)
      try {
        // A publisher that was named has to be the one; else this only looks.
        const publishers = given ?? 'any-unverified-publisher'
        const capsule = await openCapsule(source, { publishers })
        const { header, sizeBytes } = capsule
        const isTrusted = trusted.some((key) => equalBytes(key, header.publisher.publicKey))
        if (options.verify === true) {
          const progress = verifyProgress(context, sizeBytes)
          await capsule.verifyTree(progress.onVerify).finally(progress.end)
        }
        const trust = isTrusted ? style.green('trusted') : style.yellow('not among the trusted ones')
        const lines = [
          indented(style, headerPairs(header, sizeBytes)),
          '',
          indented(style, [
            ['signature', `${style.green('valid')}, its publisher is ${trust}`],
            ['pages', options.verify === true ? style.green('all as signed') : 'not checked (--verify)'],
          ]),
        ]
        const json = {
          ...headerToJson(header),
          sizeBytes,
          isPublisherTrusted: isTrusted,
          isVerified: options.verify === true,
        }
        printReport(context, options, { text: lines.join('\n'), json })
      } finally {
        await source.close?.()
      }
    })
}
