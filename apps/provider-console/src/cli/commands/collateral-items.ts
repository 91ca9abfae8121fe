// SPDX-License-Identifier: Apache-2.0
import type { CollateralItems } from '@mlcapsule/attestation/collateral'
import { type CollateralCache, collateralCache } from '@mlcapsule/attestation/node'
import { formatBytes, formatItems, printable, table } from '@mlcapsule/terminal'
import { type CliContext, printReport } from '@mlcapsule/terminal/cli'
import { storePaths } from '../../store/paths.ts'
import type { StoreOptions } from '../context.ts'

export const cacheOf = (options: StoreOptions): CollateralCache =>
  collateralCache(storePaths(options.store).collateralDir)

export const itemRows = (items: CollateralItems) =>
  [...items].map(([name, bytes]) => [printable(name), formatBytes(bytes.length)])
export const itemJson = (items: CollateralItems) =>
  [...items].map(([name, { length }]) => ({ name, sizeBytes: length }))

export function printTaken(context: CliContext, options: StoreOptions, items: CollateralItems): void {
  const head = `${context.style.green('took in')} ${formatItems(items.size, 'item')}`
  const rows = table(itemRows(items), { indent: '  ', align: 'lr' })
  printReport(context, options, {
    text: items.size === 0 ? head : `${head}\n\n${rows}`,
    json: { items: itemJson(items) },
  })
}
