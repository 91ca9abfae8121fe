// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type { Dim, GraphNode, Value } from '../graph/graph.ts'

/** Constants of up to this many elements are read at import, so that operators can look at them. */
const knownElementCount = 4096

/** What grows while a model is imported. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = []
  /** Elements of small constants and of computed shapes. */
  readonly known = new Map<Value, readonly Dim[]>()

  /** A shape with symbolic elements: it exists now, but not when the program runs. */
  isShapeOnly(value: Value): boolean {
    return value.constant === null && this.known.has(value)
  }

  /** Reads a small constant, so that `known` has it. */
  async learn(value: Value): Promise<void> {
    const { constant } = value
    if (constant === null || this.known.has(value)) return
    const count = elementCount(constant.dims)
    if (count > knownElementCount || constant.dtype === 'float16') return
    const data = await constant.read(0, count)
    this.known.set(value, Array.from(data, Number))
  }
}
