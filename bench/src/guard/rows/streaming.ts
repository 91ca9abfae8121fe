// SPDX-License-Identifier: Apache-2.0
import { markdownTable, showEstimate, showMs } from '../../report/tables.ts'
import type { Entry } from '../guarded.ts'
import { measurePairs, type PairEstimate } from '../pairs.ts'
import { withProviderOf } from '../with-provider.ts'
import { type Row, showMib, verdictOf } from './row.ts'

const mebibyte = 1_048_576

interface Case {
  readonly network: string
  /** `worker` is the one with WebAssembly kernels. */
  readonly entry?: Entry
  readonly budgetMib: number
  readonly target: number | null
}

const cases: readonly Case[] = [
  { network: 'mobilenetv1', budgetMib: 64, target: 1.15 },
  { network: 'mobilenetv1', budgetMib: 16, target: null },
  { network: 'resnet50', budgetMib: 64, target: 1.15 },
  { network: 'vgg16', budgetMib: 64, target: 1.6 },
  { network: 'vgg16~f16', budgetMib: 64, target: 1.25 },
  { network: 'vgg16~int8', budgetMib: 64, target: 1.25 },
  { network: 'vgg16', entry: 'worker', budgetMib: 64, target: null },
]

function cells({ network, entry, budgetMib, target, ...pairs }: Case & PairEstimate): readonly string[] {
  return [
    `${network.replace('~', ', weights as ')}${entry === 'worker' ? ', WebAssembly' : ''}`,
    `${budgetMib} MiB`,
    `${showMib(pairs.memorySizeBytes)} MiB`,
    showMs(pairs.plainMs.median),
    showMs(pairs.guardedMs.median),
    showEstimate(pairs.ratio, 3),
    target === null ? '–' : `${target}: ${verdictOf(pairs.ratio.low, target)}`,
  ]
}

/**
 * Native kernels with one compute thread, the pager beside it, or WebAssembly ones, which get pages through the door; the
 * plain engine keeps all weights in memory.
 */
export const streaming: Row = {
  name: 'streaming',
  title: 'What a memory budget costs: weights that do not fit come with each query',
  async run(isQuick) {
    const wanted = cases.filter(({ network }) => !isQuick || network === 'mobilenetv1')
    const results: (Case & PairEstimate)[] = []
    await withProviderOf(
      wanted.map(({ network }) => network),
      async (provider, folder) => {
        for (const it of wanted) {
          const { network, entry = 'process', budgetMib } = it
          const budget = { memoryBudgetSizeBytes: budgetMib * mebibyte }
          const count = isQuick || entry === 'worker' ? 10 : 30
          const rounds = isQuick ? { count } : { count, warmUpMs: 15_000 }
          const subject = { network, entry, ...rounds, ...budget }
          results.push({ ...it, ...(await measurePairs({ provider, folder }, subject)) })
        }
      },
    )
    const heads = ['network', 'budget', 'counted', 'plain, ms', 'guarded, ms', 'guarded / plain', 'target']
    return { markdown: markdownTable(heads, results.map(cells)), data: results }
  },
}
