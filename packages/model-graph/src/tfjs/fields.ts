// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from '../errors.ts'

/** @throws ModelError `MODEL_TFJS_MALFORMED` */
export function malformed(detail: string): never {
  throw new ModelError('MODEL_TFJS_MALFORMED', detail)
}

/**
 * The fields of a JSON object, each checked as it is asked for. Only own properties are seen, so no name reaches a prototype.
 * `null` counts as left out.
 */
export class Fields {
  readonly where: string
  readonly #object: Readonly<Record<string, unknown>>

  /** @param where for messages */
  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      malformed(`${where} is not an object`)
    }
    this.where = where
    this.#object = value as Readonly<Record<string, unknown>>
  }

  names(): readonly string[] {
    return Object.keys(this.#object)
  }

  get(name: string): unknown {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined
    return value === null ? undefined : value
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  string(name: string, otherwise?: string): string {
    return this.#typed(name, otherwise, 'text', (it) => typeof it === 'string')
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.#typed(name, otherwise, 'true or false', (it) => typeof it === 'boolean')
  }

  number(name: string, otherwise?: number): number {
    return this.#typed(name, otherwise, 'a number', (it) => typeof it === 'number')
  }

  integer(name: string, otherwise?: number): number {
    return this.#typed(name, otherwise, 'an integer', (it) => Number.isSafeInteger(it))
  }

  list(name: string, otherwise?: readonly unknown[]): readonly unknown[] {
    return this.#typed(name, otherwise, 'a list', (it) => Array.isArray(it))
  }

  integers(name: string, otherwise?: readonly number[]): readonly number[] {
    return this.#typed(
      name,
      otherwise,
      'a list of integers',
      (it) => Array.isArray(it) && it.every((element) => Number.isSafeInteger(element)),
    )
  }

  object(name: string): Fields {
    return new Fields(this.get(name), `${name} of ${this.where}`)
  }

  /** Objects of a list. */
  objects(name: string, otherwise?: readonly unknown[]): readonly Fields[] {
    return this.list(name, otherwise).map((it, i) => new Fields(it, `${name}[${i}] of ${this.where}`))
  }

  #typed<T>(name: string, otherwise: T | undefined, what: string, fits: (value: unknown) => boolean): T {
    const value = this.get(name)
    if (value === undefined && otherwise !== undefined) return otherwise
    if (!fits(value)) malformed(`${quote(name)} of ${this.where} is not ${what}`)
    return value as T
  }
}
