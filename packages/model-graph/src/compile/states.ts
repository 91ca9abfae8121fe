// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'
import type { Graph, Value } from '../graph/graph.ts'

/** An input that takes, in the next query, what an output gave in this one. */
export interface StatePair {
  readonly input: string
  readonly output: string
}

/** Which inputs and outputs become states: those whose names tell, none, or these. */
export type StateOption = 'auto' | 'none' | readonly StatePair[]

/** How exporters name what a decoder keeps: the output's name follows from the input's. */
const cacheNames: readonly (readonly [input: RegExp, outputs: readonly string[]])[] = [
  [/^past_key_values([._].+)$/, ['present$1', 'present_key_values$1']],
  [/^past([._].+)$/, ['present$1']],
]

/** How exporters name what a recurrent layer keeps. Only such names: any other pair may be an input and its answer. */
const recurrentName = /^(?:.*[._])?(?:state|hidden|cell|h|c)$/
const recurrentEndings: readonly (readonly [input: string, outputs: readonly string[]])[] = [
  ['', ['N', 'n', '_n', '_out']],
  ['_in', ['_out']],
  ['_0', ['_n']],
  ['0', ['n']],
]

function outputNamesFor(input: string): readonly string[] {
  const cache = cacheNames.flatMap(([pattern, outputs]) =>
    pattern.test(input) ? outputs.map((output) => input.replace(pattern, output)) : [],
  )
  const recurrent = recurrentEndings.flatMap(([ending, outputs]) => {
    if (!input.endsWith(ending)) return []
    const stem = input.slice(0, input.length - ending.length)
    return recurrentName.test(stem) ? outputs.map((output) => stem + output) : []
  })
  return [...cache, ...recurrent]
}

/** What one query leaves can be what the next one begins with. */
function goTogether(input: Value, output: Value): boolean {
  return (
    input.dtype === output.dtype &&
    input.dims.length === output.dims.length &&
    input.dims.every((dim, d) => {
      const after = output.dims[d]
      return typeof dim !== 'number' || typeof after !== 'number' || dim === after
    })
  )
}

/** What could be meant for more than one is for none. */
function detected({ inputs, outputs }: Graph): readonly StatePair[] {
  const pairs = inputs.flatMap((input) => {
    const names = outputNamesFor(input.name)
    const found = outputs.filter(({ name, value }) => names.includes(name) && goTogether(input, value))
    return found.map(({ name }) => ({ input: input.name, output: name }))
  })
  const isAlone = (side: keyof StatePair, pair: StatePair) =>
    pairs.filter((it) => it[side] === pair[side]).length === 1
  return pairs.filter((pair) => isAlone('input', pair) && isAlone('output', pair))
}

function refuse(detail: string): never {
  throw new ModelError('MODEL_STATE_INVALID', detail, { field: 'states' })
}

function assertPairs({ inputs, outputs }: Graph, pairs: readonly StatePair[]): void {
  for (const [i, pair] of pairs.entries()) {
    const input = inputs.find(({ name }) => name === pair.input)
    const output = outputs.find(({ name }) => name === pair.output)
    if (input === undefined) refuse(`the model has no input ${quote(pair.input)}`)
    if (output === undefined) refuse(`the model has no output ${quote(pair.output)}`)
    if (!goTogether(input, output.value)) {
      const show = ({ dtype, dims }: Value) => `${dtype} [${dims.join(', ')}]`
      const figures = `${show(input)} and ${show(output.value)}`
      refuse(`input ${quote(pair.input)} and output ${quote(pair.output)} are ${figures}`)
    }
    if (pairs.slice(0, i).some((it) => it.input === pair.input || it.output === pair.output)) {
      refuse(`${quote(pair.input)} or ${quote(pair.output)} is in two pairs`)
    }
  }
}

/**
 * The states of a model.
 * @throws ModelError `MODEL_STATE_INVALID` for a pair that is not there or does not go together, and where no output would
 * be left
 */
export function findStates(graph: Graph, option: StateOption): readonly StatePair[] {
  if (option === 'none') return []
  const pairs = option === 'auto' ? detected(graph) : option
  assertPairs(graph, pairs)
  if (pairs.length < graph.outputs.length) return pairs
  return option === 'auto' ? [] : refuse('every output would be a state, and nothing an answer')
}
