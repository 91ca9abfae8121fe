// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import { type ConstantTensor, inlineConstant } from '../graph/constant.ts'
import type { GraphNode, NodeOf, Value } from '../graph/graph.ts'

/** A convolution or a dense layer: what per-channel constants can be folded into. */
export type LinearNode = NodeOf<'conv2d'> | NodeOf<'dense'>

export function isLinear(node: GraphNode | undefined): node is LinearNode {
  return node?.op === 'conv2d' || node?.op === 'dense'
}

/** The axis of the output that counts channels. */
export function channelAxis(node: LinearNode): number {
  return node.op === 'conv2d' ? 1 : node.output.dims.length - 1
}

export function channelCount(node: LinearNode): number {
  return node.output.dims[channelAxis(node)] as number
}

/** Elements of a constant that, broadcast to the output, differs along the channels only; null for any other. */
export async function channelVector(
  node: LinearNode,
  constant: ConstantTensor,
): Promise<Float64Array | null> {
  const rank = node.output.dims.length
  const count = channelCount(node)
  const elements = elementCount(constant.dims)
  if (constant.dtype !== 'float32' || constant.dims.length > rank) return null
  if (elements !== 1) {
    const axis = channelAxis(node) - (rank - constant.dims.length)
    if (elements !== count || constant.dims[axis] !== count) return null
  }
  const data = (await constant.read(0, elements)) as Float32Array
  return Float64Array.from({ length: count }, (_, i) => data[elements === 1 ? 0 : i] as number)
}

export async function biasVector(node: LinearNode): Promise<Float64Array> {
  const bias = node.inputs[2]?.constant ?? null
  const count = channelCount(node)
  if (bias === null) return new Float64Array(count)
  return Float64Array.from((await bias.read(0, count)) as Float32Array)
}

export function vectorValue(data: Float64Array, origin: string): Value {
  const constant = inlineConstant('float32', [data.length], Float32Array.from(data))
  return { name: origin, dtype: 'float32', dims: [data.length], constant }
}
