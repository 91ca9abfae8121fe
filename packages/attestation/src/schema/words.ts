// SPDX-License-Identifier: Apache-2.0
import { type EnclaveEntry, type IsolationTier, isolationTiers } from '@mlcapsule/contracts'
import * as z from 'zod'

export const tierSchema = z.enum(isolationTiers)

export const entrySchema = z.enum(['worker', 'process', 'gramine', 'vm']) satisfies z.ZodType<EnclaveEntry>

const ranks: Readonly<Record<IsolationTier, number>> = {
  none: 0,
  simulated: 1,
  process: 2,
  sgx: 3,
  tdx: 3,
  'sev-snp': 3,
  nitro: 3,
}

/** Order of the tiers by what they are worth. The four hardware tiers rank alike. */
export function tierRank(tier: IsolationTier): number {
  return ranks[tier]
}
