// SPDX-License-Identifier: Apache-2.0
import { countUses, type Graph, type GraphNode, outputsOf, type Value } from '../../graph/graph.ts'
import { producersOf } from '../rewrite.ts'
import { type ByteFormat, conversionFormat } from './byte-format.ts'
import { type ByteStep, byteStepOf } from './byte-operators.ts'

/** Nodes that read or write bytes, and that steps on uint8 can take over. */
export interface ByteNodes {
  /** Of each QuantizeLinear and DequantizeLinear. */
  readonly formats: ReadonlyMap<GraphNode, ByteFormat>
  readonly steps: ReadonlyMap<GraphNode, ByteStep>
}

/** int8 can be uint8 where nothing but these nodes writes and reads it: where not, they cannot take part, nor what hangs on them. */
class Selection {
  readonly formats = new Map<GraphNode, ByteFormat>()
  readonly steps = new Map<GraphNode, ByteStep>()
  readonly #readers = new Map<Value, GraphNode[]>()

  async add(node: GraphNode): Promise<void> {
    const format = node.op === 'operator' ? await conversionFormat(node) : null
    const step = format === null ? await byteStepOf(node) : null
    if (format !== null) this.formats.set(node, format)
    if (step !== null) this.steps.set(node, step)
    if (format === null && step === null) return
    const input = node.inputs[0] as Value
    const readers = this.#readers.get(input)
    if (readers === undefined) this.#readers.set(input, [node])
    else readers.push(node)
  }

  #has(node: GraphNode | undefined): boolean {
    return node !== undefined && (this.formats.has(node) || this.steps.has(node))
  }

  /** Takes out what would read or write int8 that has to stay. A DequantizeLinear of it may stay as it is. */
  prune(graph: Graph): void {
    const uses = countUses(graph)
    const producers = producersOf(graph.nodes)
    const values = new Set([
      ...this.#readers.keys(),
      ...graph.nodes.filter((it) => this.#has(it)).flatMap(outputsOf),
    ])
    const staying = [...values].filter(
      (it) =>
        it.dtype === 'int8' &&
        !(this.#has(producers.get(it)) && (uses.get(it) ?? 0) === (this.#readers.get(it)?.length ?? 0)),
    )
    for (let value = staying.pop(); value !== undefined; value = staying.pop()) {
      const steps = (this.#readers.get(value) ?? []).filter((it) => this.steps.has(it))
      const producer = producers.get(value)
      for (const node of producer !== undefined && this.#has(producer) ? [producer, ...steps] : steps) {
        this.formats.delete(node)
        this.steps.delete(node)
        const others = [node.inputs[0] as Value, node.output]
        staying.push(...others.filter((it) => it !== value && it.dtype === 'int8'))
      }
    }
  }
}

export async function byteNodesOf(graph: Graph): Promise<ByteNodes> {
  const selection = new Selection()
  for (const node of graph.nodes) await selection.add(node)
  selection.prune(graph)
  return selection
}
