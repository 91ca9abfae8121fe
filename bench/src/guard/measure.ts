// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'
import { runChild } from '../run-child.ts'
import type { Entry } from './guarded.ts'
import type { PackedBy } from './provider.ts'

/** Where capsules come from, and a folder for states. */
export interface Bench {
  readonly provider: PackedBy
  readonly folder: string
}

export interface Subject {
  readonly network: string
  readonly entry: Entry
  readonly count: number
  readonly threadCount?: number
  readonly throughSdk?: boolean
  /** Of the enclave alone: the plain engine keeps all weights in memory. */
  readonly memoryBudgetSizeBytes?: number
  /** How long queries are asked beforehand that do not count, at most: 2 s when absent. */
  readonly warmUpMs?: number
}

/** One model's measurement in a process of its own. */
export function measure<Result>(
  script: 'growth' | 'load' | 'pair' | 'start' | 'throughput',
  { provider, folder }: Bench,
  { network, entry, count, threadCount = 1, throughSdk = false, memoryBudgetSizeBytes, warmUpMs }: Subject,
): Promise<Result> {
  return runChild<Result>(
    join(import.meta.dirname, `${script}-process.ts`),
    [
      ...['--provider', JSON.stringify(provider), '--folder', folder, '--network', network],
      ...['--entry', entry, '--count', String(count), '--threads', String(threadCount)],
      ...(throughSdk ? ['--sdk'] : []),
      ...(warmUpMs === undefined ? [] : ['--warm-up', String(warmUpMs)]),
      ...(memoryBudgetSizeBytes === undefined ? [] : ['--budget', String(memoryBudgetSizeBytes)]),
    ],
    ['--expose-gc'],
  )
}
