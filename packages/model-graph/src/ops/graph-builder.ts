// SPDX-License-Identifier: Apache-2.0
import { elementCount, type TensorData } from '@mlcapsule/contracts'
import { type AttributeValue, completeAttributes, operatorOf } from '@mlcapsule/inference-kernels/program'
import { inlineConstant } from '../graph/constant.ts'
import { checkDims } from '../graph/dims.ts'
import type { GraphNode, Value } from '../graph/graph.ts'
import { type ProbedCall, type ProbedResult, Probes } from './probes.ts'

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

  /**
   * Adds one of the engine's operators, unless all that it gives is known already.
   * @param attributes those that differ from the operator's defaults
   * @param origin for messages
   * @returns its first `outputCount` results
   */
  operator(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
    origin: string,
  ): readonly Value[] {
    const call = callOf(name, inputs, attributes, outputCount, origin)
    const outputs = this.probes.call(call).map(({ dtype, dims, contents }): Value => {
      checkDims(dims, origin)
      const isConstant = contents !== null && !Array.isArray(contents)
      const constant = isConstant ? inlineConstant(dtype, dims as number[], contents as TensorData) : null
      const value: Value = { name: origin, dtype, dims, constant }
      if (contents !== null) this.probes.setContents(value, contents)
      return value
    })
    if (outputs.every(({ constant }) => constant !== null)) return outputs
    const [output, ...moreOutputs] = outputs as [Value, ...Value[]]
    const own = { operator: name, attributes: call.attributes }
    this.nodes.push({ op: 'operator', attributes: own, inputs, output, moreOutputs, origin })
    return outputs
  }

  /** Types of what `operator` would give, without adding it. */
  types(
    name: string,
    inputs: readonly (Value | null)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
    origin: string,
  ): readonly ProbedResult[] {
    return this.probes.call(callOf(name, inputs, attributes, outputCount, origin))
  }
}

function callOf(
  name: string,
  inputs: readonly (Value | null)[],
  attributes: Readonly<Record<string, AttributeValue>>,
  outputCount: number,
  origin: string,
): ProbedCall {
  const operator = operatorOf(name)
  if (operator === undefined) throw new TypeError(`the engine has no operator ${name}`)
  return { operator, inputs, attributes: completeAttributes(operator, attributes), outputCount, origin }
}
