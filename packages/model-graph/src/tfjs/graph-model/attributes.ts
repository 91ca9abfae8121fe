// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { ModelError, quote } from '../../errors.ts'
import { Fields, malformed } from '../fields.ts'
import { dtypeNamed } from './dtypes.ts'

/** 64-bit integers stand as text in protobuf's JSON form. */
function toInteger(value: unknown, what: string): number {
  const number = typeof value === 'string' && /^-?[0-9]{1,19}$/.test(value) ? Number(value) : value
  return Number.isInteger(number) ? (number as number) : malformed(`${what} is not an integer`)
}

/** Byte fields are base64 in protobuf's JSON form. */
function toText(value: unknown, what: string): string {
  if (typeof value !== 'string') return malformed(`${what} is not text`)
  try {
    return atob(value)
  } catch {
    return malformed(`${what} is not in base64`)
  }
}

/**
 * Dimensions, -1 where they are not known; null where not even their count is.
 * @see https://github.com/tensorflow/tensorflow `core/framework/tensor_shape.proto`
 */
export function readShape(shape: Fields): readonly number[] | null {
  if (shape.flag('unknownRank', false)) return null
  return shape.objects('dim', []).map((dim) => toInteger(dim.get('size') ?? 0, `a size of ${dim.where}`))
}

/**
 * Attributes of a node of a GraphDef, in protobuf's JSON form.
 * @see https://github.com/tensorflow/tensorflow `core/framework/attr_value.proto`
 */
export class NodeAttributes {
  readonly #fields: Fields | null

  /** @param node the node, whose field `attr` holds them */
  constructor(node: Fields) {
    this.#fields = node.has('attr') ? node.object('attr') : null
  }

  #value(name: string, kind: string): unknown {
    if (this.#fields?.has(name) !== true) return undefined
    return this.#fields.object(name).get(kind)
  }

  #list(name: string, kind: string): readonly unknown[] | undefined {
    const value = this.#value(name, 'list')
    return value === undefined ? undefined : new Fields(value, this.#what(name)).list(kind, [])
  }

  #what(name: string): string {
    return `attribute ${quote(name)}`
  }

  int(name: string, otherwise?: number): number {
    return toInteger(this.#value(name, 'i') ?? otherwise, this.#what(name))
  }

  ints(name: string): readonly number[] | undefined {
    return this.#list(name, 'i')?.map((it) => toInteger(it, this.#what(name)))
  }

  float(name: string, otherwise: number): number {
    const value = this.#value(name, 'f') ?? otherwise
    return typeof value === 'number' ? value : malformed(`${this.#what(name)} is not a number`)
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.#value(name, 'b') ?? otherwise
    return typeof value === 'boolean' ? value : malformed(`${this.#what(name)} is not true or false`)
  }

  string(name: string, otherwise: string): string {
    const value = this.#value(name, 's')
    return value === undefined ? otherwise : toText(value, this.#what(name))
  }

  strings(name: string): readonly string[] {
    return this.#list(name, 's')?.map((it) => toText(it, this.#what(name))) ?? []
  }

  dtype(name: string, otherwise: DType): DType {
    const value = this.#value(name, 'type')
    return value === undefined ? otherwise : dtypeNamed(value, this.#what(name))
  }

  /** null where not even the rank is known. @throws ModelError `MODEL_SHAPE_UNKNOWN` where there is no shape */
  shape(name: string): readonly number[] | null {
    const value = this.#value(name, 'shape')
    if (value === undefined) throw new ModelError('MODEL_SHAPE_UNKNOWN', `${this.#what(name)} is missing`)
    return readShape(new Fields(value, this.#what(name)))
  }
}
