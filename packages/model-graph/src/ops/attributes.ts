// SPDX-License-Identifier: Apache-2.0
import { quote } from '../errors.ts'
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
} from '../onnx/generated/onnx_pb.ts'
import { UnsupportedNode } from './unsupported.ts'

type TypeName = keyof typeof AttributeType

/**
 * The attributes of one node. Each is asked for by name; those that nobody asked for make the node unsupported, since an
 * attribute that is not understood may change what the node means.
 */
export class AttributeReader {
  readonly #byName: ReadonlyMap<string, AttributeProto>
  readonly #unread: Set<string>

  constructor(attributes: readonly AttributeProto[]) {
    this.#byName = new Map(attributes.map((it) => [it.name, it]))
    if (this.#byName.size !== attributes.length) throw new UnsupportedNode('an attribute is given twice')
    this.#unread = new Set(this.#byName.keys())
  }

  #take(name: string, type: TypeName): AttributeProto | undefined {
    this.#unread.delete(name)
    const it = this.#byName.get(name)
    if (it === undefined) return undefined
    if (it.refAttrName !== '')
      throw new UnsupportedNode(`attribute ${quote(name)} refers to one of a function`)
    // Files older than IR version 3 leave the type out.
    if (it.type !== AttributeType[type] && it.type !== AttributeType.UNDEFINED) {
      throw new UnsupportedNode(`attribute ${quote(name)} is not of type ${type}`)
    }
    return it
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  int(name: string, otherwise: number): number {
    const value = this.#take(name, 'INT')?.i
    if (value === undefined) return otherwise
    return toInteger(value, name)
  }

  ints(name: string): readonly number[] | undefined {
    return this.#take(name, 'INTS')?.ints.map((it) => toInteger(it, name))
  }

  /** An integer, or a list of them, with all of their 64 bits. */
  bigints(name: string, type: 'INT' | 'INTS'): readonly bigint[] | undefined {
    const attribute = this.#take(name, type)
    return attribute === undefined || type === 'INTS' ? attribute?.ints : [attribute.i]
  }

  float(name: string, otherwise: number): number {
    return this.#take(name, 'FLOAT')?.f ?? otherwise
  }

  floats(name: string): readonly number[] | undefined {
    return this.#take(name, 'FLOATS')?.floats
  }

  string(name: string, otherwise: string): string {
    const bytes = this.#take(name, 'STRING')?.s
    return bytes === undefined ? otherwise : new TextDecoder().decode(bytes)
  }

  strings(name: string): readonly string[] | undefined {
    return this.#take(name, 'STRINGS')?.strings.map((it) => new TextDecoder().decode(it))
  }

  graph(name: string): GraphProto | undefined {
    return this.#take(name, 'GRAPH')?.g
  }

  /** Attributes without influence on the result at inference. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#unread.delete(name)
  }

  refuseUnread(): void {
    if (this.#unread.size > 0) {
      const names = [...this.#unread].map(quote).join(', ')
      throw new UnsupportedNode(`attribute ${names} is not known to this operator`)
    }
  }
}

function toInteger(value: bigint, name: string): number {
  // Bounds such as the largest int64 stand for "to the end": they lose precision, but stay beyond every size.
  const number = Number(value)
  if (Math.abs(number) > 2 ** 63) throw new UnsupportedNode(`attribute ${quote(name)} is out of range`)
  return number
}
