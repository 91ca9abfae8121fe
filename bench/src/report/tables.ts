// SPDX-License-Identifier: Apache-2.0
import { arch, cpus, platform, totalmem } from 'node:os'
import type { MatchResult } from '../run-match.ts'
import type { MedianEstimate } from './statistics.ts'

export const showMs = (ms: number) =>
  ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toPrecision(3)

/** The median, and its interval in parentheses. */
export const showEstimate = ({ median, low, high }: MedianEstimate, digits = 2): string =>
  `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`

/** A target is met when the interval's lower end is. */
export const isMet = ({ ratio, target }: MatchResult): boolean =>
  ratio !== null && target !== null && ratio.low <= target

function rowOf(result: MatchResult): readonly string[] {
  const { network, ours, best, ratio, target } = result
  return [
    network,
    showMs(ours.medianMs),
    ours.gigaflopsPerSecond.toFixed(0),
    best === null ? '–' : best.engine,
    best === null ? '–' : showMs(best.medianMs),
    ratio === null ? '–' : showEstimate(ratio),
    target === null ? '–' : target.toFixed(2),
    ratio === null || target === null ? '–' : isMet(result) ? 'met' : 'missed',
  ]
}

const heads = ['network', 'ours, ms', 'GFLOP/s', 'best peer', 'its ms', 'ours / its', 'target', '']

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** A Markdown table. Its columns are numbers, but for the first. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = heads.map((_, i) => (i === 0 ? '---' : '---:'))
  return [line(heads), line(rule), ...rows.map(line)].join('\n')
}

/** A Markdown table for each match. */
export function ratioTables(results: readonly MatchResult[]): string {
  const titles = [...new Set(results.map(({ title }) => title))]
  return titles
    .map((title) => {
      const rows = results.filter((it) => it.title === title).map(rowOf)
      const rule = heads.map((_, i) => (i === 0 || i === 3 ? '---' : '---:'))
      return [`**${title}**`, '', line(heads), line(rule), ...rows.map(line)].join('\n')
    })
    .join('\n\n')
}

const showPercent = (part: number) => `${(part * 100).toPrecision(2)} %`
const showMebibytes = (sizeBytes: number | null) =>
  sizeBytes === null ? '–' : (sizeBytes / 2 ** 20).toFixed(0)

/** What smaller weights change in answers and in memory. */
export function differenceTable(results: readonly MatchResult[]): string {
  const rows = results.flatMap(({ network, ours, best }) => {
    const { difference } = ours
    if (difference === null) return []
    const { largest, rms, isSameTop1 } = difference
    const sizes = [ours.memorySizeBytes, best?.memorySizeBytes ?? null].map(showMebibytes)
    return [
      [network, ours.engine, showPercent(largest), showPercent(rms), isSameTop1 ? 'same' : 'other', ...sizes],
    ]
  })
  const names = ['network', 'engine', 'largest difference', 'RMS difference', 'top-1', 'MiB', 'MiB, float32']
  return [line(names), line(names.map((_, i) => (i < 2 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** What the figures were measured on. */
export function machineFacts(): string {
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  const model = cpus()[0]?.model.trim() ?? 'unknown processor'
  return `${model}, ${cpus().length} cores, ${memoryGib} GiB, ${platform()} ${arch()}, Node ${process.version}`
}
