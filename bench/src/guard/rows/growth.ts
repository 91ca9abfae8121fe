// SPDX-License-Identifier: Apache-2.0
import { markdownTable } from '../../report/tables.ts'
import { measure } from '../measure.ts'
import { withProviderOf } from '../with-provider.ts'
import { type Row, showMib } from './row.ts'

interface Sample {
  readonly queryCount: number
  readonly hostSizeBytes: number
  readonly hostHeapSizeBytes: number
  readonly enclaveSizeBytes: number | null
}

export const growth: Row = {
  name: 'growth',
  title: 'Memory over many queries, LeNet',
  async run(isQuick) {
    const count = isQuick ? 9_000 : 300_000
    const results = await withProviderOf(['lenet'], async (provider, folder) => {
      const found = []
      for (const entry of ['process', 'worker'] as const) {
        const subject = { network: 'lenet', entry, count }
        found.push({
          entry,
          samples: await measure<readonly Sample[]>('growth', { provider, folder }, subject),
        })
      }
      return found
    })
    const rows = results.flatMap(({ entry, samples }) =>
      samples.map((it) => [
        entry,
        it.queryCount.toLocaleString('en'),
        (it.hostHeapSizeBytes / 1_048_576).toFixed(1),
        showMib(it.hostSizeBytes),
        entry === 'process' ? showMib(it.enclaveSizeBytes) : 'a thread of the host',
      ]),
    )
    const heads = ['entry', 'queries', "host's heap, MiB", 'host, MiB resident', 'enclave, MiB resident']
    return { markdown: markdownTable(heads, rows), data: results }
  },
}
