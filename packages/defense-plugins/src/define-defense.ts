// SPDX-License-Identifier: Apache-2.0
import type {
  AnswerVerdict,
  Defense,
  DefenseContext,
  QueryVerdict,
  StandardSchema,
  Tensor,
} from '@mlcapsule/contracts'
import { DefenseError } from './errors.ts'

interface DefenseDefinition<Name extends string, Config, State> {
  /** Lower-case words joined by hyphens. */
  readonly name: Name
  /** Raised with every change of behavior: a capsule names the version it was tested with. */
  readonly version: number
  /** Any validator that implements Standard Schema. It must answer synchronously. */
  readonly config: StandardSchema<Config>
  readonly state?: { readonly schema: StandardSchema<State>; readonly initial: (config: Config) => State }
  /** Sees the query before the model runs. */
  onQuery?(context: DefenseContext<Config, State>, inputs: readonly Tensor[]): QueryVerdict<State>
  /** Sees the answer before it leaves. */
  onAnswer?(context: DefenseContext<Config, State>, outputs: readonly Tensor[]): AnswerVerdict<State>
}

/**
 * Defines a defense with all types inferred from its schemas.
 * @see spec/defense-contract.md
 */
export function defineDefense<const Name extends string, Config, State = undefined>(
  definition: DefenseDefinition<Name, Config, State>,
): Defense<Config, State> & { readonly name: Name } {
  return Object.freeze({ kind: 'defense', ...definition })
}

/**
 * Checks the configuration that a capsule holds for a defense.
 * @throws DefenseError `DEFENSE_CONFIG_INVALID` with the path of the first field at fault
 */
export function parseDefenseConfig<Config>(
  defense: { readonly name: string; readonly config: StandardSchema<Config> },
  value: unknown,
): Config {
  const result = defense.config['~standard'].validate(value)
  if (result instanceof Promise) {
    throw new DefenseError('DEFENSE_CONFIG_INVALID', `the schema of ${defense.name} answers asynchronously`, {
      field: defense.name,
    })
  }
  if (result.issues === undefined) return result.value
  const issue = result.issues[0]
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part))
  throw new DefenseError('DEFENSE_CONFIG_INVALID', `${defense.name}: ${issue?.message ?? 'invalid'}`, {
    field: [defense.name, ...path].join('.'),
  })
}
