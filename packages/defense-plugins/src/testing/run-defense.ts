// SPDX-License-Identifier: Apache-2.0
import type { AnswerVerdict, Defense, QueryVerdict, Tensor } from '@mlcapsule/contracts'
import { parseDefenseConfig } from '../define-defense.ts'
import { DefenseError } from '../errors.ts'

/** One query of one item, and the answer that the bare model gives to it. */
export interface DefenseCase {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
}

interface DefenseRun<State> {
  readonly query: QueryVerdict<State> | undefined
  readonly answer: AnswerVerdict<State> | undefined
  /** What the client gets: the outputs after the defense, or `null` for a blocked query. */
  readonly outputs: readonly Tensor[] | null
  readonly state: State | undefined
}

/**
 * Runs one query through a defense as the enclave does: configuration checked, `onQuery`, then `onAnswer`.
 * @param state the state after the query before; absent for the first
 * @throws DefenseError `DEFENSE_CONFIG_INVALID`
 */
export function runDefense<Config, State>(
  defense: Defense<Config, State>,
  config: unknown,
  { inputs, outputs }: DefenseCase,
  state?: State,
): DefenseRun<State> {
  const parsed = parseDefenseConfig(defense, config)
  const base = { config: parsed, inputs: specsOf('input', inputs), outputs: specsOf('output', outputs) }
  let current = (state ?? defense.state?.initial(parsed)) as State
  const query = defense.onQuery?.({ ...base, state: current }, inputs)
  if (query?.state !== undefined) current = query.state
  if (query?.verdict === 'block') return { query, answer: undefined, outputs: null, state: current }
  const answer = defense.onAnswer?.({ ...base, state: current }, outputs)
  if (answer?.state !== undefined) current = answer.state
  if (answer?.verdict === 'block') return { query, answer, outputs: null, state: current }
  const replaced = answer !== undefined && answer.verdict !== 'pass' ? answer.outputs : outputs
  return { query, answer, outputs: replaced, state: current }
}

/**
 * Holds a defense to the contract on given cases: arguments are left as they were, the same query meets the same
 * treatment, and outputs are new tensors that keep dtypes, shapes and finiteness.
 * @throws DefenseError `DEFENSE_CONTRACT_BROKEN` naming the case and the rule
 */
export function assertDefenseContract<Config, State>(
  defense: Defense<Config, State>,
  config: unknown,
  cases: readonly DefenseCase[],
): void {
  cases.forEach((given, index) => {
    const fail = (rule: string): never => {
      throw new DefenseError('DEFENSE_CONTRACT_BROKEN', `${defense.name}, case ${index}: ${rule}`, {
        field: `cases[${index}]`,
      })
    }
    const before = fingerprint([...given.inputs, ...given.outputs])
    const first = runDefense(defense, config, given)
    const second = runDefense(defense, config, given)
    if (fingerprint([...given.inputs, ...given.outputs]) !== before) fail('a hook wrote to its arguments')
    if (treatment(first) !== treatment(second)) fail('two runs differ')
    if (first.outputs === null) return
    if (first.outputs.length !== given.outputs.length) fail('the number of outputs changed')
    first.outputs.forEach((output, place) => {
      const original = given.outputs[place] as Tensor
      if (output.dtype !== original.dtype) fail(`the dtype of output ${place} changed`)
      if (output.shape.join() !== original.shape.join()) fail(`the shape of output ${place} changed`)
      if (output.data.length !== original.data.length) fail(`the size of output ${place} changed`)
      // The enclave reuses that memory; an answer that lies in it would change under the client's eyes.
      if (first.outputs !== given.outputs && sharesMemory(output, given))
        fail(`output ${place} lies in the memory of an argument`)
      for (const value of output.data) {
        if (typeof value === 'number' && !Number.isFinite(value)) fail(`output ${place} is not finite`)
      }
    })
  })
}

function treatment({ query, answer, outputs }: DefenseRun<unknown>): string {
  const words = [query, answer].map((it) => `${it?.verdict} ${it?.alarm ?? 0}`)
  return [...words, fingerprint(outputs ?? [])].join(';')
}

function sharesMemory(output: Tensor, { inputs, outputs }: DefenseCase): boolean {
  return [...inputs, ...outputs].some((it) => it.data.buffer === output.data.buffer)
}

function specsOf(prefix: string, tensors: readonly Tensor[]) {
  return tensors.map(({ dtype, shape }, index) => ({ name: `${prefix}${index}`, dtype, shape }))
}

function fingerprint(tensors: readonly Tensor[]): string {
  return tensors.map(({ dtype, shape, data }) => `${dtype}[${shape.join()}]${data.join()}`).join(';')
}
