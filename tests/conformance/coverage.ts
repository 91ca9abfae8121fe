// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { isSupportedOperator } from '@mlcapsule/model-graph'
import { table } from '@mlcapsule/terminal'

/** Operators of one real model, with how often it has each. */
interface ModelUsage {
  readonly model: string
  readonly category: string
  readonly opset: number
  readonly ops: Readonly<Record<string, number>>
}

export interface Share {
  readonly modelCount: number
  readonly coveredCount: number
}

export interface CoverageReport {
  readonly all: Share
  readonly categories: Readonly<Record<string, Share>>
  /** Operators that are not supported, the one that most models wait for first. */
  readonly missing: readonly { readonly operator: string; readonly blockedCount: number }[]
}

const missingOf = ({ ops }: ModelUsage) => Object.keys(ops).filter((name) => !isSupportedOperator(name))

function shareOf(models: readonly ModelUsage[]): Share {
  const coveredCount = models.filter((it) => missingOf(it).length === 0).length
  return { modelCount: models.length, coveredCount }
}

/** Of how many models in a usage file are all operators supported? Their forms are not looked at: the file has none. */
export function readCoverage(path: string): CoverageReport {
  const models = JSON.parse(readFileSync(path, 'utf8')) as readonly ModelUsage[]
  const categories = [...new Set(models.map((it) => it.category))].sort()
  const blocked = new Map<string, number>()
  for (const name of models.flatMap(missingOf)) blocked.set(name, (blocked.get(name) ?? 0) + 1)
  return {
    all: shareOf(models),
    categories: Object.fromEntries(
      categories.map((name) => [name, shareOf(models.filter((it) => it.category === name))]),
    ),
    missing: [...blocked]
      .map(([operator, blockedCount]) => ({ operator, blockedCount }))
      .sort((a, b) => b.blockedCount - a.blockedCount),
  }
}

const row = (name: string, { modelCount, coveredCount }: Share) => [
  name,
  String(modelCount),
  String(coveredCount),
  `${((100 * coveredCount) / modelCount).toFixed(2)} %`,
]

export function formatCoverage({ all, categories, missing }: CoverageReport): string {
  const shares = [...Object.entries(categories).map(([name, it]) => row(name, it)), row('all', all)]
  const lines = [table(shares, { head: ['category', 'models', 'covered', 'share'], align: 'lrrr' })]
  if (missing.length > 0) {
    const rows = missing.map(({ operator, blockedCount }) => [operator, String(blockedCount)])
    lines.push('', table(rows, { head: ['missing operator', 'models blocked'], align: 'lr' }))
  }
  return lines.join('\n')
}
