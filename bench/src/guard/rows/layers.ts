// SPDX-License-Identifier: Apache-2.0
import { markdownTable, showEstimate, showMs } from '../../report/tables.ts'
import { measurePairs } from '../pairs.ts'
import { withProviderOf } from '../with-provider.ts'
import type { Row } from './row.ts'

/** What is remembered of the tables of arXiv:1808.00590, section 6. Nobody has held it against the text. */
const recalledRatios: readonly (readonly [network: string, layer: string, recalled: string])[] = [
  ['dense-256', 'dense 256 × 256', '1.71'],
  ['dense-512', 'dense 512 × 512', '1.76'],
  ['dense-1024', 'dense 1024 × 1024', '1.63'],
  ['dense-2048', 'dense 2048 × 2048', '1.38'],
  ['dense-4096', 'dense 4096 × 4096', '1.33'],
  ['conv-64-224', '3 × 3, 64 channels, 224 × 224', 'about 1.2'],
  ['conv-128-112', '3 × 3, 128 channels, 112 × 112', '–'],
  ['conv-256-56', '3 × 3, 256 channels, 56 × 56', '–'],
  ['conv-512-28', '3 × 3, 512 channels, 28 × 28', '–'],
  ['separable-64-224', 'separable, 64 channels, 224 × 224', 'up to about 2'],
  ['separable-128-112', 'separable, 128 channels, 112 × 112', '–'],
  ['separable-256-56', 'separable, 256 channels, 56 × 56', '–'],
]

export const layers: Row = {
  name: 'layers',
  title: 'Single layers, beside those of arXiv:1808.00590 (recalled, unconfirmed)',
  async run(isQuick) {
    const chosen = isQuick ? recalledRatios.slice(0, 3) : recalledRatios
    const names = chosen.map(([network]) => network)
    const results = await withProviderOf(names, async (provider, folder) => {
      const found = []
      for (const [network, layer, recalled] of chosen) {
        const subject = { network, entry: 'process' as const, count: isQuick ? 50 : 100 }
        found.push({ layer, recalled, ...(await measurePairs({ provider, folder }, subject)) })
      }
      return found
    })
    const rows = results.map(({ layer, recalled, plainMs, guardedMs, ratio }) => [
      layer,
      showMs(plainMs.median),
      showMs(guardedMs.median),
      showEstimate(ratio),
      recalled,
    ])
    const heads = ['layer', 'plain, ms', 'guarded, ms', 'guarded / plain', 'theirs, recalled, unconfirmed']
    return { markdown: markdownTable(heads, rows), data: results }
  },
}
