// SPDX-License-Identifier: Apache-2.0
import { bundleMaxSizeBytes, decodeBundle, encodeBundle } from '@mlcapsule/attestation/collateral'
import { formatItems, table } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import type { Command } from 'commander'
import { readSmallFile, writeWholeFile } from '../../files/files.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { addFetch, addRefresh } from './collateral-fetch.ts'
import { cacheOf, itemJson, itemRows, printTaken } from './collateral-items.ts'

export function addCollateral(context: CliContext, program: Command): void {
  const collateral = program
    .command('collateral')
    .description('what the vendors of platforms publish: certificates, lists of revoked ones, TCB tables')
  addShow(context, collateral)
  addExport(context, collateral)
  addImport(context, collateral)
  addFetch(context, collateral)
  addRefresh(context, collateral)
}

function addShow(context: CliContext, collateral: Command): void {
  addStoreCommand(context, collateral, {
    name: 'show',
    about: 'list what the store has, and the newest time that any of it named',
    examples: ['collateral show', 'collateral show --json'],
  }).action(async (options: StoreOptions) => {
    const cache = cacheOf(options)
    const [items, newestSeenMs] = [await cache.loadAll(), await cache.newestSeenMs()]
    const rows = table(itemRows(items), { head: ['name', 'size'], align: 'lr', headStyle: context.style.dim })
    const newest = newestSeenMs === 0 ? 'nothing verified yet' : new Date(newestSeenMs).toISOString()
    const text = items.size === 0 ? 'There is no collateral yet.' : `${rows}\n\nnewest seen: ${newest}`
    printReport(context, options, { text, json: { items: itemJson(items), newestSeenMs } })
  })
}

interface ExportOptions extends StoreOptions {
  readonly output: string
  readonly force?: true
}

function addExport(context: CliContext, collateral: Command): void {
  addStoreCommand(context, collateral, {
    name: 'export',
    about: 'write all of it into one file, to carry to a machine without a network',
    examples: ['collateral export -o bundle.json'],
  })
    .requiredOption('-o, --output <file>', 'where to write it')
    .option('--force', 'replace a file that is there')
    .action(async (options: ExportOptions) => {
      const items = await cacheOf(options).loadAll()
      await writeWholeFile(options.output, encodeBundle(items), { replace: options.force === true })
      const text = `${context.style.green('wrote')} ${formatItems(items.size, 'item')} to ${options.output}`
      printReport(context, options, { text, json: { file: options.output, items: itemJson(items) } })
    })
}

function addImport(context: CliContext, collateral: Command): void {
  addStoreCommand(context, collateral, {
    name: 'import <bundle>',
    about: 'take in what a bundle holds; every use of it checks it',
    examples: ['collateral import bundle.json'],
  }).action(async (path: string, options: StoreOptions) => {
    const items = decodeBundle(await readSmallFile(path, bundleMaxSizeBytes))
    await cacheOf(options).store(items)
    printTaken(context, options, items)
  })
}
