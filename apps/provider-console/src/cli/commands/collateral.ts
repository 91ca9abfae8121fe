// SPDX-License-Identifier: Apache-2.0
import {
  amdFetcher,
  amdKdsUrl,
  bundleMaxSizeBytes,
  type CollateralItems,
  decodeBundle,
  encodeBundle,
  fetchCollateral,
  intelFetcher,
  intelPcsUrl,
  intelRootCrlUrl,
  vendorFetcher,
} from '@mlcapsule/attestation/collateral'
import { collateralCache } from '@mlcapsule/attestation/node'
import { formatBytes, formatItems, printable, table } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import { type Command, Option } from 'commander'
import { platformOf } from '../../attestation/check-policy.ts'
import { findPlatform } from '../../attestation/endorsements.ts'
import { supportedPlatforms, verifiers } from '../../attestation/verifiers.ts'
import { readSmallFile, writeWholeFile } from '../../files/files.ts'
import { storePaths } from '../../store/paths.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { evidenceMaxSizeBytes } from './policy-check.ts'

const cacheOf = (options: StoreOptions) => collateralCache(storePaths(options.store).collateralDir)

const itemRows = (items: CollateralItems) =>
  [...items].map(([name, bytes]) => [printable(name), formatBytes(bytes.length)])
const itemJson = (items: CollateralItems) =>
  [...items].map(([name, { length }]) => ({ name, sizeBytes: length }))

export function addCollateral(context: CliContext, program: Command): void {
  const collateral = program
    .command('collateral')
    .description('what the vendors of platforms publish: certificates, lists of revoked ones, TCB tables')
  addShow(context, collateral)
  addExport(context, collateral)
  addImport(context, collateral)
  addFetch(context, collateral)
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

interface FetchOptions extends StoreOptions {
  readonly platform?: string
  readonly pccs?: string
}

function addFetch(context: CliContext, collateral: Command): void {
  addStoreCommand(context, collateral, {
    name: 'fetch <evidence>',
    about: 'fetch from the vendors what this evidence needs, all or nothing; every use of it checks it',
    examples: ['collateral fetch quote.bin', 'collateral fetch quote.bin --pccs https://127.0.0.1:8081'],
  })
    .addOption(
      new Option('--platform <name>', 'whose evidence it is (default: as its layout shows)').choices(
        verifiers.map((it) => it.name),
      ),
    )
    .option('--pccs <url>', 'a caching service in place of those of Intel')
    .action(async (path: string, options: FetchOptions) => {
      const bytes = await readSmallFile(path, evidenceMaxSizeBytes)
      const name = options.platform ?? platformOf(bytes, supportedPlatforms)
      const verifier = findPlatform(name, supportedPlatforms)?.verifier
      const sets = verifier?.collateralNames({ platform: name, bytes }) ?? []
      const { fetch } = globalThis
      const intel =
        options.pccs === undefined
          ? { baseUrl: intelPcsUrl, rootCrlUrl: intelRootCrlUrl, fetch }
          : { baseUrl: options.pccs, fetch }
      const fetcher = vendorFetcher({
        intel: intelFetcher(intel),
        amd: amdFetcher({ baseUrl: amdKdsUrl, fetch }),
      })
      const items = await fetchCollateral(fetcher, sets)
      await cacheOf(options).store(items)
      printTaken(context, options, items)
    })
}

function printTaken(context: CliContext, options: StoreOptions, items: CollateralItems): void {
  const head = `${context.style.green('took in')} ${formatItems(items.size, 'item')}`
  const rows = table(itemRows(items), { indent: '  ', align: 'lr' })
  printReport(context, options, {
    text: items.size === 0 ? head : `${head}\n\n${rows}`,
    json: { items: itemJson(items) },
  })
}
