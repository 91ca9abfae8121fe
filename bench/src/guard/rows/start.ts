// SPDX-License-Identifier: Apache-2.0
import { estimateMedian } from '../../report/statistics.ts'
import { markdownTable, showEstimate } from '../../report/tables.ts'
import { measure } from '../measure.ts'
import { withProviderOf } from '../with-provider.ts'
import { type Row, verdictOf } from './row.ts'

interface StartResult {
  readonly launchMs: readonly number[]
  readonly activateMs: readonly number[]
  readonly answerMs: readonly number[]
}

const targetsMs = { process: 600, worker: 300 } as const
/** Of 1 MiB each. */
const network = 'mib-5'

export const start: Row = {
  name: 'start',
  title: 'Cold start',
  async run(isQuick) {
    const count = isQuick ? 5 : 12
    const results = await withProviderOf([network], async (provider, folder) => {
      const found = []
      for (const entry of ['process', 'worker'] as const) {
        const { launchMs, activateMs, answerMs } = await measure<StartResult>(
          'start',
          { provider, folder },
          { network, entry, count },
        )
        const wholeMs = launchMs.map((ms, i) => ms + (activateMs[i] ?? 0) + (answerMs[i] ?? 0))
        found.push({
          entry,
          launchMs: estimateMedian(launchMs),
          activateMs: estimateMedian(activateMs),
          answerMs: estimateMedian(answerMs),
          wholeMs: estimateMedian(wholeMs),
          // It alone hashes the file of Node, of some hundred megabytes.
          firstMs: wholeMs[0] ?? 0,
        })
      }
      return found
    })
    const rows = results.map(({ entry, launchMs, activateMs, answerMs, wholeMs, firstMs }) => [
      entry,
      launchMs.median.toFixed(0),
      activateMs.median.toFixed(0),
      answerMs.median.toFixed(0),
      showEstimate(wholeMs, 0),
      firstMs.toFixed(0),
      String(targetsMs[entry]),
      verdictOf(wholeMs.low, targetsMs[entry]),
    ])
    const heads = [
      'entry',
      'launch, ms',
      'activate, ms',
      'first answer, ms',
      'together, ms',
      'the first, ms',
      'target',
      '',
    ]
    return { markdown: markdownTable(heads, rows), data: results }
  },
}
