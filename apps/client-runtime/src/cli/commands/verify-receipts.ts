// SPDX-License-Identifier: Apache-2.0
import { toBase64Url } from '@mlcapsule/crypto'
import { formatCount, formatItems } from '@mlcapsule/terminal'
import { type CliContext, type CommonOptions, collect, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { openRecords } from '../../node/open-records.ts'
import { publisherKeys } from '../../node/pinned-publishers.ts'
import { openStateDir } from '../../node/state-dir.ts'
import { type VerifiedRecords, verifyRecords } from '../../sdk/verify-records.ts'
import { addStateCommand } from '../context.ts'
import { indented } from '../describe.ts'

interface VerifyOptions extends CommonOptions {
  readonly state: string
  readonly publisher?: readonly string[]
}

export function addVerifyReceipts(context: CliContext, program: Command): void {
  const { style } = context
  addStateCommand(context, program, {
    name: 'verify-receipts <capsule>',
    about:
      'check that receipts, closings and statements agree and are signed; needs neither enclave nor provider',
    examples: ['verify-receipts model.capsule', 'verify-receipts model.capsule --json'],
  })
    .option(
      '--publisher <file|key>',
      'a trusted publisher; repeatable (default: those of `mlcapsule trust`)',
      collect,
    )
    .action(async (path: string, options: VerifyOptions) => {
      const state = await openStateDir(options.state)
      const { header, records } = await openRecords(
        path,
        state,
        await publisherKeys(state, options.publisher),
      )
      const verified: VerifiedRecords[] = []
      for (const license of await records.read())
        verified.push(await verifyRecords(license, header.authority))
      const text =
        verified.length === 0
          ? 'There are no receipts yet.'
          : verified
              .map(
                (it) =>
                  `${style.green('verified')} license ${it.license.claims.jti}\n\n${describe(context, it)}`,
              )
              .join('\n\n')
      printReport(context, options, { text, json: { licenses: verified.map(toJson) } })
    })
}

function describe(
  { style }: CliContext,
  { chain, statements, license, receiptsPath }: VerifiedRecords,
): string {
  const { openReceiptCount, lostBlockCount, lostUnits } = chain
  return indented(style, [
    ['queries', formatCount(chain.queryCount)],
    ['charged', `${formatCount(chain.units)} of ${formatItems(license.claims.grant.units, 'unit')}`],
    ['blocked', formatCount(chain.blockedCount)],
    ...(lostBlockCount === 0
      ? []
      : [
          [
            'lost',
            `${formatCount(lostUnits)} units in ${formatCount(lostBlockCount)} blocks that a crash ended`,
          ] as const,
        ]),
    ...(openReceiptCount === 0
      ? []
      : [['open', `${formatCount(openReceiptCount)} receipts whose block is not signed yet`] as const]),
    ['statements', formatCount(statements.length)],
    ['file', receiptsPath],
  ])
}

function toJson({ license, chain, statements, receiptsPath }: VerifiedRecords) {
  const { head, ...rest } = chain
  return {
    license: license.claims.jti,
    licenseHash: toBase64Url(license.hash),
    unitsGranted: license.claims.grant.units,
    ...rest,
    head: toBase64Url(head),
    statements,
    receiptsPath,
  }
}
