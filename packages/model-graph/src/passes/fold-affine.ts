// SPDX-License-Identifier: Apache-2.0
import { scaledConstant } from '../graph/constant.ts'
import { sameDims } from '../graph/dims.ts'
import { countUses, type Graph, type GraphNode, noActivation, type Value } from '../graph/graph.ts'
import {
  biasVector,
  channelCount,
  channelVector,
  isLinear,
  type LinearNode,
  vectorValue,
} from './channel-vector.ts'
import { changed, rewritten } from './rewrite.ts'

/** y = factor * x + offset for each channel. */
interface Affine {
  readonly factors: Float64Array | null
  readonly offsets: Float64Array | null
}

/** What BatchNormalization does at inference: scale (x - mean) / √(variance + epsilon) + bias. */
async function batchNormAffine(node: GraphNode & { readonly op: 'batchNorm' }): Promise<Required<Affine>> {
  const [, ...parameters] = node.inputs as Value[]
  const vectors = await Promise.all(
    parameters.map(
      async ({ constant, dims }) => (await constant?.read(0, dims[0] as number)) as Float32Array,
    ),
  )
  const [scale, bias, mean, variance] = vectors as [Float32Array, Float32Array, Float32Array, Float32Array]
  const factors = Float64Array.from(
    scale,
    (it, i) => it / Math.sqrt((variance[i] as number) + node.attributes.epsilon),
  )
  const offsets = Float64Array.from(bias, (it, i) => it - (mean[i] as number) * (factors[i] as number))
  return { factors, offsets }
}

/** The constant operand of a sum or product with a linear layer's result, per channel. */
async function binaryAffine(
  node: GraphNode & { readonly op: 'binary' },
  linear: LinearNode,
): Promise<Affine | null> {
  const [a, b] = node.inputs as [Value, Value]
  const { binary, activation } = node.attributes
  if (activation.kind !== 'none' || !sameDims(node.output.dims, linear.output.dims)) return null
  const commutes = binary === 'add' || binary === 'mul'
  const constant = a === linear.output ? b.constant : commutes ? a.constant : null
  if (constant === null) return null
  const vector = await channelVector(linear, constant)
  if (vector === null) return null
  if (binary === 'add') return { factors: null, offsets: vector }
  if (binary === 'sub') return { factors: null, offsets: vector.map((it) => -it) }
  if (binary !== 'mul' && binary !== 'div') return null
  const factors = binary === 'mul' ? vector : vector.map((it) => 1 / it)
  // A sum of products with infinity is NaN where the product with a sum is not.
  return factors.every((it) => Number.isFinite(Math.fround(it))) ? { factors, offsets: null } : null
}

async function foldInto(
  linear: LinearNode,
  { factors, offsets }: Affine,
  output: Value,
): Promise<LinearNode> {
  const [input, weights, , residual] = linear.inputs
  const bias = await biasVector(linear)
  const channelDim = linear.op === 'conv2d' ? 0 : 1
  const constant = (weights as Value).constant
  if (constant === null) throw new TypeError('the weights of a linear layer are constant')
  const scaled =
    factors === null
      ? weights
      : { ...(weights as Value), constant: scaledConstant(constant, channelDim, factors) }
  const shifted = bias.map((it, i) => it * (factors?.[i] ?? 1) + (offsets?.[i] ?? 0))
  const inputs = [input ?? null, scaled ?? null, vectorValue(shifted, linear.origin), residual ?? null]
  return linear.op === 'conv2d' ? changed(linear, { inputs, output }) : changed(linear, { inputs, output })
}

/** A normalization that follows no linear layer: one product and one sum. */
function spelledOut(
  node: GraphNode & { readonly op: 'batchNorm' },
  { factors, offsets }: Required<Affine>,
): readonly GraphNode[] {
  const [x] = node.inputs as [Value]
  const perChannel = (vector: Float64Array): Value => {
    const flat = vectorValue(vector, node.origin)
    const dims = [vector.length, ...x.dims.slice(2).map(() => 1)]
    return { ...flat, dims, constant: flat.constant === null ? null : { ...flat.constant, dims } }
  }
  const product: Value = { ...node.output }
  const attributes = { activation: noActivation }
  const { origin, output } = node
  return [
    {
      op: 'binary',
      attributes: { ...attributes, binary: 'mul' },
      inputs: [x, perChannel(factors as Float64Array)],
      output: product,
      origin,
    },
    {
      op: 'binary',
      attributes: { ...attributes, binary: 'add' },
      inputs: [product, perChannel(offsets as Float64Array)],
      output,
      origin,
    },
  ]
}

/**
 * Folds what follows a convolution or dense layer channel by channel (batch normalization, sums and products with
 * constants) into its weights and bias. Exact up to rounding.
 */
export async function foldAffine(graph: Graph): Promise<Graph> {
  const uses = countUses(graph)
  const nodes: GraphNode[] = []
  const indexOf = new Map<Value, number>()
  const push = (node: GraphNode) => {
    indexOf.set(node.output, nodes.length)
    nodes.push(node)
  }
  /** The linear layer right before a value, if its result goes nowhere else. */
  const linearBefore = (value: Value | null | undefined): LinearNode | null => {
    const node = value == null ? undefined : nodes[indexOf.get(value) ?? -1]
    if (!isLinear(node) || uses.get(node.output) !== 1) return null
    return node.attributes.activation.kind === 'none' && node.inputs[3] === null ? node : null
  }
  for (const node of graph.nodes) {
    let linear: LinearNode | null = null
    let affine: Affine | null = null
    if (node.op === 'batchNorm') {
      affine = await batchNormAffine(node)
      linear = linearBefore(node.inputs[0])
      // A dense layer of rank above 2 has its channels elsewhere than the normalization.
      if (linear?.op === 'dense' && linear.output.dims.length !== 2) linear = null
      if (linear !== null && channelCount(linear) !== affine.factors?.length) linear = null
    } else if (node.op === 'binary') {
      linear = linearBefore(node.inputs[0]) ?? linearBefore(node.inputs[1])
      affine = linear === null ? null : await binaryAffine(node, linear)
    }
    if (linear !== null && affine !== null) {
      const index = indexOf.get(linear.output) as number
      nodes[index] = await foldInto(linear, affine, node.output)
      indexOf.set(node.output, index)
    } else if (node.op === 'batchNorm') {
      for (const it of spelledOut(node, affine as Required<Affine>)) push(it)
    } else push(node)
  }
  return rewritten(graph, nodes)
}
