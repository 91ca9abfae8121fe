// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type { GraphNode, Value } from '../graph/graph.ts'
import { Probes } from './probes.ts'

/** Constants of up to this many elements are read at import, so that operators can look at them. */
const knownElementCount = 4096

/** What grows while a model is imported. */
export class GraphBuilder {
  readonly nodes: GraphNode[] = []
  readonly probes: Probes

  /** @param probes of the graph around this one, for the branch of an If */
  constructor(probes: Probes = new Probes()) {
    this.probes = probes
  }

  /** Reads a small constant, so that operators know its elements. */
  async learn(value: Value): Promise<void> {
    const { constant } = value
    if (constant === null || this.probes.uniform(value) !== null) return
    const count = elementCount(constant.dims)
    if (count <= knownElementCount) this.probes.setContents(value, await constant.read(0, count))
  }
}
