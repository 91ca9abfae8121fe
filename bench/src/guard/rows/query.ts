// SPDX-License-Identifier: Apache-2.0
import { markdownTable, showEstimate } from '../../report/tables.ts'
import type { Entry } from '../guarded.ts'
import { measurePairs } from '../pairs.ts'
import { withProviderOf } from '../with-provider.ts'
import { type Row, verdictOf } from './row.ts'

const targetUs = 150

/** A network that computes next to nothing: what is left is what each query costs. */
export const query: Row = {
  name: 'query',
  title: 'What each query costs',
  async run(isQuick) {
    const count = isQuick ? 1000 : 4000
    const subjects = [
      ...(['process', 'worker'] satisfies Entry[]).map((entry) => ({ entry, throughSdk: false })),
      { entry: 'process' as const, throughSdk: true },
    ]
    const results = await withProviderOf(['lenet'], async (provider, folder) => {
      const found = []
      for (const subject of subjects) {
        const pairs = { network: 'lenet', count: subject.throughSdk ? count / 4 : count, ...subject }
        found.push({ ...subject, ...(await measurePairs({ provider, folder }, pairs)) })
      }
      return found
    })
    const rows = results.map(({ entry, throughSdk, plainMs, addedUs }) => [
      throughSdk ? `${entry}, each receipt on the disk before its answer` : entry,
      (1000 * plainMs.median).toFixed(0),
      showEstimate(addedUs, 0),
      throughSdk ? '–' : verdictOf(addedUs.low, targetUs),
    ])
    return {
      markdown: markdownTable(['LeNet', 'plain, µs', 'added, µs', `≤ ${targetUs}`], rows),
      data: results,
    }
  },
}
