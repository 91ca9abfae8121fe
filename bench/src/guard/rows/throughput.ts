// SPDX-License-Identifier: Apache-2.0
import { markdownTable } from '../../report/tables.ts'
import { measure } from '../measure.ts'
import { withProviderOf } from '../with-provider.ts'
import type { Row } from './row.ts'

const steps = [1, 2, 4, 8, 16]

export const throughput: Row = {
  name: 'throughput',
  title: 'Answers per second, MobileNet-v1, process entry',
  async run(isQuick) {
    const sizes = isQuick ? [1, 4] : steps
    const nameOf = (batch: number) => `mobilenetv1@${batch}`
    const results = await withProviderOf(sizes.map(nameOf), async (provider, folder) => {
      const found = []
      for (const threadCount of [1, 2]) {
        for (const [kind, size] of sizes.flatMap((it) => [
          ['batch', it] as const,
          ['in flight', it] as const,
        ])) {
          if (kind === 'in flight' && size === 1) continue
          const network = nameOf(kind === 'batch' ? size : 1)
          const subject = {
            network,
            entry: 'process' as const,
            count: kind === 'batch' ? 1 : size,
            threadCount,
          }
          const { itemsPerSecond } = await measure<{ readonly itemsPerSecond: number }>(
            'throughput',
            { provider, folder },
            subject,
          )
          found.push({ kind, size, threadCount, itemsPerSecond })
        }
      }
      return found
    })
    const rows = [1, 2].flatMap((threadCount) =>
      ['batch', 'in flight'].map((kind) => [
        `${threadCount === 1 ? '1 thread' : '2 threads'}, ${kind}`,
        ...sizes.map((size) => {
          const found = results.find(
            (it) => it.threadCount === threadCount && it.size === size && (it.kind === kind || it.size === 1),
          )
          return found?.itemsPerSecond.toFixed(0) ?? '–'
        }),
      ]),
    )
    return { markdown: markdownTable(['', ...sizes.map(String)], rows), data: results }
  },
}
