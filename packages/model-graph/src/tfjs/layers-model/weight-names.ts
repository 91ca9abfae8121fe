// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../../errors.ts'
import type { ConstantTensor } from '../../graph/constant.ts'

/** `lstm/lstm_cell/kernel` as `lstm/kernel`: some exporters put the cell of a recurrent layer in between. */
function withoutCell(name: string): string {
  const parts = name.split('/')
  return [...parts.slice(0, -2), ...parts.slice(-1)].join('/')
}

/** Finds the weights of layers by name, as the various exporters write them. */
export class WeightNames {
  readonly #exact = new Map<string, ConstantTensor>()
  /** Weights by the end of their names; null where several end so. */
  readonly #byEnd = new Map<string, ConstantTensor | null>()

  constructor(weights: ReadonlyMap<string, ConstantTensor>) {
    for (const [name, constant] of weights) this.#exact.set(name.replace(/:\d+$/, ''), constant)
    for (const [name, constant] of this.#exact) {
      this.#add(name, constant)
      if (name.split('/').length > 2) this.#add(withoutCell(name), constant)
    }
  }

  /** Only the last two and three parts: a layer's own name stands in them. */
  #add(name: string, constant: ConstantTensor): void {
    const parts = name.split('/')
    for (const count of new Set([2, 3, parts.length])) {
      if (count > parts.length) continue
      const end = parts.slice(-count).join('/')
      const known = this.#byEnd.get(end)
      this.#byEnd.set(end, known === undefined || known === constant ? constant : null)
    }
  }

  /**
   * @param path names of the models and wrappers around a layer, and its own; the weights of a wrapped layer may go by the
   * name of its wrapper
   * @throws ModelError `MODEL_VALUE_UNDEFINED`
   */
  find(path: readonly string[], name: string): ConstantTensor {
    const wrapper = path.slice(0, -1)
    const candidates = [path, wrapper].flatMap((own) => own.map((_, i) => [...own.slice(i), name].join('/')))
    for (const known of [this.#exact, this.#byEnd]) {
      for (const candidate of candidates) {
        const constant = known.get(candidate)
        if (constant != null) return constant
      }
    }
    const wanted = [...path.slice(-1), name].join('/')
    throw new ModelError('MODEL_VALUE_UNDEFINED', `there is no weight ${quote(wanted)}`)
  }
}
