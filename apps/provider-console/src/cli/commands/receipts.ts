// SPDX-License-Identifier: Apache-2.0
import { fromBase64Url, toBase64Url } from '@mlcapsule/crypto'
import {
  decodeReceipt,
  parseReceiptLog,
  type ReceiptLogEntry,
  verifyLicense,
  verifyReceiptChain,
} from '@mlcapsule/metering'
import { fields, formatCount } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { ProviderError } from '../../errors.ts'
import { readTextFile } from '../../files/files.ts'
import { readPublicKey } from '../../keys/public-key.ts'
import { withProvider } from '../../service/with-provider.ts'
import { storePaths } from '../../store/paths.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'

/** As large as a client takes its own for readable. */
const receiptLogMaxSizeBytes = 268_435_456

/** The license that a log is under, as its first entry names it. The check of the chain then holds all to it. */
function namedLicense(entries: readonly ReceiptLogEntry[], path: string): string {
  const [first] = entries
  try {
    if (first !== undefined && 'receipt' in first) return toBase64Url(decodeReceipt(first.receipt).license)
    const payload = new TextDecoder().decode(fromBase64Url(first?.closing.split('.')[1] ?? ''))
    const { license } = JSON.parse(payload) as { readonly license?: unknown }
    if (typeof license === 'string') return license
  } catch {
    // Said below, in the words of the user.
  }
  throw new ProviderError('PROVIDER_FILE_INVALID', `${path} starts with no receipt`, { field: path })
}

export function addReceipts(context: CliContext, program: Command): void {
  const { style } = context
  const receipts = program.command('receipts').description('what clients keep of their queries')
  addStoreCommand(context, receipts, {
    name: 'verify <file>',
    about: "check a client's receipts: complete, unchanged, signed by the enclave that was licensed",
    examples: ['receipts verify receipts.jsonl', 'receipts verify receipts.jsonl --json'],
  }).action(async (path: string, options: StoreOptions) => {
    const text = await readTextFile(path, receiptLogMaxSizeBytes)
    const { entries, torn } = parseReceiptLog(text)
    const licenseHash = namedLicense(entries, path)
    const found = await withProvider({ storeDir: options.store }, (it) =>
      it.findLicenseToken({ licenseHash }),
    )
    const authority = await readPublicKey(storePaths(options.store).publicKey('authority'))
    const license = await verifyLicense(found.token, [authority])
    const { head, ...chain } = await verifyReceiptChain(entries, { license })
    const pairs = [
      ['license', found.licenseId],
      ['queries', formatCount(chain.queryCount)],
      ['units', `${formatCount(chain.units)} of ${formatCount(license.claims.grant.units)}`],
      ['blocked', formatCount(chain.blockedCount)],
      ['lost blocks', formatCount(chain.lostBlockCount)],
      ['not yet signed', formatCount(chain.openReceiptCount)],
      ['head', toBase64Url(head)],
    ] as const
    const lines = [
      `${style.green('verified')} ${path}\n`,
      fields(pairs, { indent: '  ', nameStyle: style.dim }),
    ]
    if (torn) lines.push(`\n${style.yellow('note')} the last line is not whole and was left out`)
    const json = {
      licenseId: found.licenseId,
      grantedUnits: license.claims.grant.units,
      head: toBase64Url(head),
      torn,
      ...chain,
    }
    printReport(context, options, { text: lines.join('\n'), json })
  })
}
