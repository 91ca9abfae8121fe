// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { MeteringError } from '../errors.ts'
import type { LicenseClaims } from '../license/claims.ts'
import { type Verdict, verdicts } from '../receipts/receipt.ts'
import { defenseStateMaxSizeBytes, type LedgerState } from './state.ts'

/** What became of a query. */
export interface QueryOutcome {
  readonly verdict: Verdict
  /** Units on top of the price, at most the license's `surchargeMax` per item. 0 when absent. */
  readonly surchargeUnits?: number
  /** Alarm level of each defense, in the license's order. All 0 when absent. */
  readonly levels?: readonly number[]
  /** New states of defenses, by name; the others keep theirs. */
  readonly defenses?: Readonly<Record<string, Uint8Array>>
}

export interface CheckedOutcome {
  readonly surcharge: number
  readonly levels: readonly number[]
  /** States of all defenses. */
  readonly defenses: LedgerState['defenses']
}

function invalid(field: string, detail: string): never {
  throw new MeteringError('LEDGER_RESERVATION_INVALID', `${field} ${detail}`, { field })
}

/** @throws MeteringError `LEDGER_RESERVATION_INVALID`, `LEDGER_STATE_TOO_LARGE` */
export function checkOutcome(
  outcome: QueryOutcome,
  itemCount: number,
  claims: LicenseClaims,
  before: LedgerState['defenses'],
): CheckedOutcome {
  const { surchargeUnits: surcharge = 0, levels = [] } = outcome
  if (!verdicts.includes(outcome.verdict)) invalid('verdict', `is none of ${verdicts.join(', ')}`)
  const most = itemCount * claims.tariff.surchargeMax
  if (!Number.isSafeInteger(surcharge) || surcharge < 0 || surcharge > most) {
    invalid('surchargeUnits', `is not an integer from 0 to ${most}`)
  }
  if (levels.length > claims.defenses.length || levels.some((it) => ![0, 1, 2, 3].includes(it))) {
    invalid('levels', 'is not one level 0 to 3 per defense of the license')
  }
  return { surcharge, levels, defenses: mergeStates(outcome.defenses, claims, before) }
}

function mergeStates(
  changed: QueryOutcome['defenses'],
  claims: LicenseClaims,
  before: LedgerState['defenses'],
): LedgerState['defenses'] {
  if (changed === undefined) return before
  const merged = { ...before }
  for (const [name, state] of Object.entries(changed)) {
    if (!claims.defenses.some((it) => it.name === name))
      invalid('defenses', 'names a defense that the license does not')
    // A copy: a defense may go on using its buffer.
    merged[name] = copyBytes(state)
  }
  const sizeBytes = Object.values(merged).reduce((sum, it) => sum + it.length, 0)
  if (sizeBytes > defenseStateMaxSizeBytes) {
    const detail = `the defenses keep ${sizeBytes} bytes, at most ${defenseStateMaxSizeBytes} are allowed`
    throw new MeteringError('LEDGER_STATE_TOO_LARGE', detail, { field: 'defenses' })
  }
  return merged
}
