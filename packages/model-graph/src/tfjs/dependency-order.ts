// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'

/** Steps of a model by their keys. */
export interface Dependencies<Step> {
  /** @throws ModelError for a key that nothing defines */
  find(key: string, reader: string): Step
  read(step: Step): readonly string[]
  describe(step: Step): string
}

/**
 * The steps that the roots depend on, each after those that it reads.
 * @throws ModelError `MODEL_GRAPH_CYCLIC`, and what `find` throws
 */
export function dependencyOrder<Step>(
  roots: readonly string[],
  { find, read, describe }: Dependencies<Step>,
): readonly Step[] {
  const sorted: Step[] = []
  const state = new Map<string, 'open' | 'done'>()
  const stack: { readonly key: string; readonly reader: string }[] = roots
    .map((key) => ({ key, reader: 'an output' }))
    .reverse()
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const step = find(top.key, top.reader)
    if (state.has(top.key)) {
      stack.pop()
      if (state.get(top.key) === 'open') sorted.push(step)
      state.set(top.key, 'done')
      continue
    }
    state.set(top.key, 'open')
    for (const key of read(step)) {
      if (state.get(key) === 'open') {
        throw new ModelError(
          'MODEL_GRAPH_CYCLIC',
          `${describe(step)} waits for ${quote(key)}, which waits for it`,
        )
      }
      if (!state.has(key)) stack.push({ key, reader: describe(step) })
    }
  }
  return sorted
}
