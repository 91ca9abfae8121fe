// SPDX-License-Identifier: Apache-2.0
import type { AlarmLevel, Tensor } from '@mlcapsule/contracts'

interface Notes<State> {
  /** The state after this query. Absent: unchanged. */
  readonly state?: State
  readonly alarm?: AlarmLevel
}

interface Pass<State> extends Notes<State> {
  readonly verdict: 'pass'
}

interface Block<State> extends Notes<State> {
  readonly verdict: 'block'
}

interface Replace<Verdict extends string, State> extends Notes<State> {
  readonly verdict: Verdict
  readonly outputs: readonly Tensor[]
}

/** Lets the query or the answer through as it is. */
export function pass<State = never>(notes: Notes<State> = {}): Pass<State> {
  return { verdict: 'pass', ...notes }
}

/** Gives no answer. The query is charged as the license says. */
export function block<State = never>(notes: Notes<State> = {}): Block<State> {
  return { verdict: 'block', ...notes }
}

/** Replaces the outputs by ones that an honest client can use as well: rounded, reduced, slightly noised. */
export function perturb<State = never>(
  outputs: readonly Tensor[],
  notes: Notes<State> = {},
): Replace<'perturb', State> {
  return { verdict: 'perturb', outputs, ...notes }
}

/** Replaces the outputs by deliberately worse ones, as an answer to an alarm. The receipt says so. */
export function degrade<State = never>(
  outputs: readonly Tensor[],
  notes: Notes<State> = {},
): Replace<'degrade', State> {
  return { verdict: 'degrade', outputs, ...notes }
}
