// SPDX-License-Identifier: Apache-2.0
import type { Defense } from '@mlcapsule/contracts'
import * as z from 'zod/mini'
import { mapClassRows } from '../class-rows.ts'
import { defineDefense } from '../define-defense.ts'
import { perturb } from '../verdicts.ts'

const config = z.strictObject({
  k: z.int().check(z.minimum(1), z.maximum(65_536)),
  renormalize: z._default(z.boolean(), false),
})

/**
 * `k`: how many classes keep their score. `renormalize`: scale what is kept to sum 1; only for outputs that are
 * probabilities.
 */
export type TopKConfig = z.infer<typeof config>

/**
 * Keeps the k largest scores of each row and sets the others to zero, so that a query teaches less about the classes
 * that were not asked for. Of equal scores the first are kept. Where zero would lie above a score that is kept (scores
 * that are not probabilities), the others get a score below it instead, made of what is kept alone.
 * @see Tramèr et al., Stealing Machine Learning Models via Prediction APIs, USENIX Security 2016, §7
 */
export const topK: Defense<TopKConfig, undefined> & { readonly name: 'top-k' } = defineDefense({
  name: 'top-k',
  version: 1,
  config,
  onAnswer: ({ config: { k, renormalize } }, outputs) =>
    perturb(mapClassRows(outputs, (row) => keepLargest(row, k, renormalize))),
})

function keepLargest(row: Float32Array, k: number, renormalize: boolean): void {
  if (k < row.length) {
    const order = Array.from(row.keys()).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b)
    const leastKept = row[order[k - 1] as number] as number
    const leastOfAll = row[order.at(-1) as number] as number
    const rest = leastKept > 0 || leastOfAll >= 0 ? 0 : 2 * leastKept - 1
    for (const index of order.slice(k)) row[index] = rest
  }
  if (!renormalize) return
  const sum = row.reduce((total, score) => total + score, 0)
  if (sum > 0 && Number.isFinite(sum))
    for (const index of row.keys()) row[index] = (row[index] as number) / sum
}
