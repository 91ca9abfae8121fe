// SPDX-License-Identifier: Apache-2.0
import { table } from '@mlcapsule/terminal'
import { type CliContext, type CommonOptions, collect, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { openRecords } from '../../node/open-records.ts'
import { publisherKeys } from '../../node/pinned-publishers.ts'
import { openStateDir } from '../../node/state-dir.ts'
import { serviceClient } from '../../sdk/service-client.ts'
import { verifyRecords } from '../../sdk/verify-records.ts'
import { addStateCommand } from '../context.ts'

interface StatementsOptions extends CommonOptions {
  readonly state: string
  readonly publisher?: readonly string[]
  readonly send?: true
  readonly service?: string
}

/** What a statement could carry beyond what the client can compute, by the fixed fields that depend on inputs. */
const smuggledBitsMax = 24

export function addStatements(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'statements <capsule>',
    about:
      'show the statements of usage, all that the provider is to learn; with --send, send those that are due',
    examples: [
      'statements model.capsule',
      'statements model.capsule --send --service https://models.example',
    ],
  })
    .option(
      '--publisher <file|key>',
      'a trusted publisher; repeatable (default: those of `mlcapsule trust`)',
      collect,
    )
    .option('--send', 'send what has not been sent, after checking it against the receipts')
    .option('--service <url>', "the provider's service (default: the one that the capsule names)")
    .action(async (path: string, options: StatementsOptions) => {
      const state = await openStateDir(options.state)
      const { header, records } = await openRecords(
        path,
        state,
        await publisherKeys(state, options.publisher),
      )
      const url = options.service ?? header.keyReleaseUrl ?? undefined
      const rows: { readonly claims: Readonly<Record<string, unknown>>; readonly sent: boolean }[] = []
      for (const kept of await records.read()) {
        const { statements } = await verifyRecords(kept, header.authority)
        for (const [i, { token, sent }] of kept.statements.entries()) {
          const isDue = options.send === true && !sent
          if (isDue) {
            await serviceClient(url ?? '').sendStatement(token)
            await records.markSent(token)
          }
          rows.push({ claims: statements[i] ?? {}, sent: sent || isDue })
        }
      }
      const cells = rows.map(({ claims, sent }) => [
        String(claims.seq),
        String(claims.units),
        String(claims.lostBlocks),
        String(claims.blocked),
        JSON.stringify(claims.levels),
        sent ? 'sent' : 'kept here',
      ])
      const head = ['number', 'units', 'lost blocks', 'blocked (log2)', 'alarm levels', '']
      const note = `Beyond these counts a statement can carry at most ${smuggledBitsMax} bits.`
      const text =
        rows.length === 0
          ? 'There are no statements yet.'
          : `${table(cells, { head, align: 'rrrrl', headStyle: style.dim })}\n\n${style.dim(note)}`
      printReport(context, options, { text, json: { statements: rows } })
    })
}
