// SPDX-License-Identifier: Apache-2.0
import { markdownTable, showEstimate, showMs } from '../../report/tables.ts'
import type { Entry } from '../guarded.ts'
import { measurePairs, type PairEstimate } from '../pairs.ts'
import { withProviderOf } from '../with-provider.ts'
import { type Row, verdictOf } from './row.ts'

const target = 1.03
const entries: readonly Entry[] = ['process', 'worker']

function cells({ network, entry, guardedMs, plainMs, ratio, addedUs }: PairEstimate): readonly string[] {
  return [
    network,
    entry,
    showMs(plainMs.median),
    showMs(guardedMs.median),
    showEstimate(ratio, 3),
    addedUs.median.toFixed(0),
    verdictOf(ratio.low, target),
  ]
}

export const overhead: Row = {
  name: 'overhead',
  title: 'What guarding costs, the model being resident',
  async run(isQuick) {
    const names = isQuick
      ? ['mobilenetv1', 'mobilenetv2']
      : ['mobilenetv1', 'mobilenetv2', 'resnet50', 'transformer']
    const results: PairEstimate[] = []
    await withProviderOf(names, async (provider, folder) => {
      for (const network of names) {
        for (const entry of entries) {
          const subject = { network, entry, count: isQuick ? 20 : 100, warmUpMs: isQuick ? 2000 : 15_000 }
          results.push(await measurePairs({ provider, folder }, subject))
        }
      }
    })
    const heads = ['network', 'entry', 'plain, ms', 'guarded, ms', 'guarded / plain', 'added, µs', '≤ 1.03']
    return { markdown: markdownTable(heads, results.map(cells)), data: results }
  },
}
