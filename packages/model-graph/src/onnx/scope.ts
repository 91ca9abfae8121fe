// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../graph/graph.ts'

/** What is known of a name: a value, or that the node which makes it is not supported. */
export type Entry = Value | 'poisoned'

/** The names of a graph, and for a branch those of the graphs around it, which are looked up there and not copied. */
export class Scope {
  readonly #own = new Map<string, Entry>()
  readonly #around: Scope | undefined

  constructor(around?: Scope) {
    this.#around = around
  }

  get(name: string): Entry | undefined {
    return this.#own.get(name) ?? this.#around?.get(name)
  }

  has(name: string): boolean {
    return this.#own.has(name) || this.#around?.has(name) === true
  }

  set(name: string, entry: Entry): void {
    this.#own.set(name, entry)
  }
}
