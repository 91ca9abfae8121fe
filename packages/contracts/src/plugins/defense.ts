// SPDX-License-Identifier: Apache-2.0
import type { Tensor, TensorSpec } from '../tensor/tensor.ts'
import type { Plugin } from './plugin.ts'
import type { StandardSchema } from './standard-schema.ts'

/** Level of an alarm, the only thing about an input that may reach the provider: 0 calm … 3 locked. */
export type AlarmLevel = 0 | 1 | 2 | 3

/** What a defense finds on seeing a query, before the model runs. */
export type QueryVerdict<State> =
  | { readonly verdict: 'pass'; readonly state?: State; readonly alarm?: AlarmLevel }
  | { readonly verdict: 'block'; readonly state?: State; readonly alarm?: AlarmLevel }

/** What a defense makes of an answer. `perturb` and `degrade` carry the outputs that replace the model's. */
export type AnswerVerdict<State> =
  | { readonly verdict: 'pass'; readonly state?: State; readonly alarm?: AlarmLevel }
  | {
      readonly verdict: 'perturb' | 'degrade'
      readonly outputs: readonly Tensor[]
      readonly state?: State
      readonly alarm?: AlarmLevel
    }
  | { readonly verdict: 'block'; readonly state?: State; readonly alarm?: AlarmLevel }

/** What a defense may know. There is no clock, no randomness and no I/O: the same query meets the same treatment. */
export interface DefenseContext<Config, State> {
  readonly config: Config
  readonly state: State
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
}

/**
 * A guard in the path of every answer. Pure functions over tensors and a state that the enclave seals; chosen and
 * configured by the provider in the signed capsule. A hook that throws, or that returns NaN or another shape, blocks.
 */
export interface Defense<Config = unknown, State = unknown> extends Plugin {
  readonly kind: 'defense'
  readonly config: StandardSchema<Config>
  /** Absent for a defense without memory. */
  readonly state?: { readonly schema: StandardSchema<State>; readonly initial: (config: Config) => State }
  /** Runs after the query is paid for and before the model runs. Once per item of a batch. */
  onQuery?(context: DefenseContext<Config, State>, inputs: readonly Tensor[]): QueryVerdict<State>
  /** Runs on the model's outputs, in the order in which the capsule lists the defenses. May not write to `outputs`. */
  onAnswer?(context: DefenseContext<Config, State>, outputs: readonly Tensor[]): AnswerVerdict<State>
}
