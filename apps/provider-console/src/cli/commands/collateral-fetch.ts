// SPDX-License-Identifier: Apache-2.0
import { AttestationError } from '@mlcapsule/attestation'
import {
  amdFetcher,
  amdKdsUrl,
  type CollateralFetcher,
  fetchCollateral,
  intelFetcher,
  intelPcsUrl,
  intelRootCrlUrl,
  vendorFetcher,
} from '@mlcapsule/attestation/collateral'
import { equalBytes } from '@mlcapsule/crypto'
import { formatItems, printable, table } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { platformOf } from '../../attestation/check-policy.ts'
import { findPlatform } from '../../attestation/endorsements.ts'
import { platformsOf, verifiers } from '../../attestation/verifiers.ts'
import { readSmallFile } from '../../files/files.ts'
import { addStoreCommand, type StoreOptions } from '../context.ts'
import { cacheOf, printTaken } from './collateral-items.ts'
import { evidenceFileMaxSizeBytes } from './policy-check.ts'

interface SourceOptions extends StoreOptions {
  readonly pccs?: string
  readonly kds?: string
}

function urlOption(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text
  throw new InvalidArgumentError('Expected an http or https URL.')
}

function addSources(command: Command): Command {
  return command
    .option('--pccs <url>', 'a caching service in place of those of Intel', urlOption)
    .option('--kds <url>', 'a caching service in place of that of AMD', urlOption)
}

function fetcherFor({ pccs, kds }: SourceOptions): CollateralFetcher {
  const { fetch } = globalThis
  const intel =
    pccs === undefined
      ? { baseUrl: intelPcsUrl, rootCrlUrl: intelRootCrlUrl, fetch }
      : { baseUrl: pccs, fetch }
  return vendorFetcher({
    intel: intelFetcher(intel),
    amd: amdFetcher({ baseUrl: kds ?? amdKdsUrl, fetch }),
  })
}

interface FetchOptions extends SourceOptions {
  readonly platform?: string
}

export function addFetch(context: CliContext, collateral: Command): void {
  const command = addStoreCommand(context, collateral, {
    name: 'fetch <evidence>',
    about: 'fetch from the vendors what this evidence needs, all or nothing; every use of it checks it',
    examples: ['collateral fetch quote.bin', 'collateral fetch quote.bin --pccs https://127.0.0.1:8081'],
  })
  addSources(command)
    .addOption(
      new Option('--platform <name>', 'whose evidence it is (default: as its layout shows)').choices(
        verifiers.map((it) => it.name),
      ),
    )
    .action(async (path: string, options: FetchOptions) => {
      const bytes = await readSmallFile(path, evidenceFileMaxSizeBytes)
      const platforms = platformsOf(options.store)
      const name = options.platform ?? platformOf(bytes, platforms)
      const verifier = findPlatform(name, platforms)?.verifier
      const sets = verifier?.collateralNames({ platform: name, bytes }) ?? []
      const items = await fetchCollateral(fetcherFor(options), sets)
      await cacheOf(options).store(items)
      printTaken(context, options, items)
    })
}

interface Renewal {
  readonly name: string
  readonly status: 'renewed' | 'same' | 'failed'
  /** Why it failed, null where it did not. */
  readonly detail: string | null
}

/** The certificate of one chip and firmware: it stays as it is. */
const isLasting = (name: string) => name.startsWith('amd/vcek/')

async function renew(options: SourceOptions): Promise<readonly Renewal[]> {
  const cache = cacheOf(options)
  const items = await cache.loadAll()
  const fetcher = fetcherFor(options)
  const renewed = new Map<string, Uint8Array>()
  const renewals = [...items].map(async ([name, before]): Promise<Renewal> => {
    if (isLasting(name)) return { name, status: 'same', detail: null }
    try {
      const now = await fetcher.fetch(name)
      if (equalBytes(now, before)) return { name, status: 'same', detail: null }
      renewed.set(name, now)
      return { name, status: 'renewed', detail: null }
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error
      return { name, status: 'failed', detail: error.message }
    }
  })
  const outcomes = await Promise.all(renewals)
  await cache.store(renewed)
  return outcomes
}

export function addRefresh(context: CliContext, collateral: Command): void {
  const { style } = context
  const command = addStoreCommand(context, collateral, {
    name: 'refresh',
    about:
      'fetch anew what the store has, before it goes stale; what cannot be fetched stays as it is, and the exit code is 1',
    examples: ['collateral refresh   # daily: lists of revoked certificates hold for 30 days or so'],
  })
  addSources(command).action(async (options: SourceOptions) => {
    const renewals = await renew(options)
    const shown = { renewed: style.green('renewed'), same: style.dim('same'), failed: style.red('failed') }
    const rows = renewals.map(({ name, status, detail }) => [
      shown[status],
      printable(name),
      printable(detail ?? ''),
    ])
    const count = (status: Renewal['status']) => renewals.filter((it) => it.status === status).length
    const counts = `${formatItems(renewals.length, 'item')}: ${count('renewed')} renewed, ${count('same')} the same, ${count('failed')} failed`
    const text =
      renewals.length === 0 ? 'There is no collateral yet.' : `${table(rows, { indent: '  ' })}\n\n${counts}`
    printReport(context, options, { text, json: { items: renewals } })
    if (count('failed') > 0) process.exitCode = 1
  })
}
