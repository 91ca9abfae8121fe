// SPDX-License-Identifier: Apache-2.0
import type { Activation, Quantization } from '@mlcapsule/inference-kernels/program'
import { sameDims } from '../../graph/dims.ts'
import { countUses, type Graph, type GraphNode, type NodeOf, type Value } from '../../graph/graph.ts'
import { isLinear, type LinearNode } from '../channel-vector.ts'
import { producersOf, rewritten } from '../rewrite.ts'
import { type ByteFormat, sameFormat } from './byte-format.ts'
import { type ByteNodes, byteNodesOf } from './byte-nodes.ts'
import type { ByteStep } from './byte-operators.ts'
import { quantizedWeightsOf } from './quantized-weights.ts'

/** A value as bytes in uint8, and what they stand for. */
interface Bytes {
  readonly value: Value
  readonly format: ByteFormat
}

function roundHalfEven(x: number): number {
  const up = Math.round(x)
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up
}

/** The bytes that a real number at the bound of an activation becomes: rounding keeps the order of numbers. */
function quantizationOf({ scale, zero }: ByteFormat, activation: Activation): Quantization | null {
  if (activation.kind === 'none') return { scale, zero, low: 0, high: 255 }
  if (activation.kind !== 'clamp') return null
  const byte = (x: number) =>
    Math.min(Math.max(zero + roundHalfEven(Math.fround(Math.fround(x) / scale)), 0), 255)
  const [low, high] = [byte(activation.alpha), byte(activation.beta)]
  return low <= high ? { scale, zero, low, high } : null
}

class QuantizedFusion {
  readonly nodes: GraphNode[] = []
  readonly #uses: ReadonlyMap<Value, number>
  readonly #producers: ReadonlyMap<Value, GraphNode>
  readonly #formats: ReadonlyMap<GraphNode, ByteFormat>
  readonly #steps: ReadonlyMap<GraphNode, ByteStep>
  /** Bytes of the model, and the uint8 that they are here. */
  readonly #bytes = new Map<Value, Value>()

  constructor(graph: Graph, { formats, steps }: ByteNodes) {
    this.#uses = countUses(graph)
    this.#producers = producersOf(graph.nodes)
    this.#formats = formats
    this.#steps = steps
  }

  /** The uint8 that bytes of the model have become, if they are not that themselves. */
  #read(bytes: Value): Value {
    return this.#bytes.get(bytes) ?? bytes
  }

  /** The uint8 that bytes of the model become. */
  #written(bytes: Value): Value {
    if (bytes.dtype === 'uint8') return bytes
    const output: Value = { ...bytes, dtype: 'uint8' }
    this.#bytes.set(bytes, output)
    return output
  }

  /** The bytes that a real value is made of, where it is a DequantizeLinear of them. */
  #bytesOf(value: Value | null | undefined): Bytes | null {
    const producer = value == null ? undefined : this.#producers.get(value)
    const format = producer === undefined ? undefined : this.#formats.get(producer)
    if (producer?.op !== 'operator' || format === undefined) return null
    if (producer.attributes.operator !== 'DequantizeLinear') return null
    const bytes = this.#read(producer.inputs[0] as Value)
    return bytes.dtype === 'uint8' ? { value: bytes, format } : null
  }

  async #linear(
    node: LinearNode,
    format: ByteFormat,
    output: Value,
    origin: string,
  ): Promise<GraphNode | null> {
    const input = this.#bytesOf(node.inputs[0])
    const quantization = quantizationOf(format, node.attributes.activation)
    if (input === null || quantization === null || node.inputs[3] !== null) return null
    const weights = await quantizedWeightsOf(node, input.format, format)
    if (weights === null) return null
    const own = { weights, inputZero: input.format.zero, quantization }
    if (node.op === 'dense') {
      return { op: 'quantizedDense', attributes: own, inputs: [input.value], output, origin }
    }
    const { strides, pads, dilations, groups } = node.attributes
    const attributes = { ...own, strides, pads, dilations, groups, sum: null }
    return { op: 'quantizedConv2d', attributes, inputs: [input.value, null], output, origin }
  }

  #sum(node: NodeOf<'binary'>, format: ByteFormat, output: Value, origin: string): GraphNode | null {
    const [a, b] = [this.#bytesOf(node.inputs[0]), this.#bytesOf(node.inputs[1])]
    const quantization = quantizationOf(format, node.attributes.activation)
    if (node.attributes.binary !== 'add' || a === null || b === null || quantization === null) return null
    if (!sameDims(a.value.dims, output.dims) || !sameDims(b.value.dims, output.dims)) return null
    const attributes = { a: a.format, b: b.format, quantization }
    return { op: 'quantizedAdd', attributes, inputs: [a.value, b.value], output, origin }
  }

  /** A step on bytes that gives what the steps on real numbers between two conversions give. */
  async #fused(quantize: NodeOf<'operator'>, output: Value): Promise<GraphNode | null> {
    const format = this.#formats.get(quantize) as ByteFormat
    const real = quantize.inputs[0] as Value
    const node = this.#producers.get(real)
    if (node === undefined || this.#uses.get(real) !== 1) return null
    const { origin } = node
    if (isLinear(node)) return this.#linear(node, format, output, origin)
    if (node.op === 'binary') return this.#sum(node, format, output, origin)
    const input = this.#bytesOf(node.inputs[0])
    if (input === null || !sameFormat(input.format, format)) return null
    if (node.op === 'reshape') {
      return { op: 'reshape', attributes: {}, inputs: [input.value], output, origin }
    }
    if (node.op !== 'pool2d' || node.attributes.pool !== 'max') return null
    const { kernel, strides, pads, dilations } = node.attributes
    const attributes = { kernel, strides, pads, dilations }
    return { op: 'quantizedMaxPool2d', attributes, inputs: [input.value], output, origin }
  }

  async #quantize(node: NodeOf<'operator'>): Promise<void> {
    const { scale, zero } = this.#formats.get(node) as ByteFormat
    const output = this.#written(node.output)
    const fused = await this.#fused(node, output)
    const quantization = { scale, zero, low: 0, high: 255 }
    const inputs = [node.inputs[0] as Value]
    this.nodes.push(
      fused ?? { op: 'quantize', attributes: { quantization }, inputs, output, origin: node.origin },
    )
  }

  async node(node: GraphNode): Promise<void> {
    const format = this.#formats.get(node)
    const step = this.#steps.get(node)
    if (step !== undefined) {
      this.nodes.push(step(this.#read(node.inputs[0] as Value), this.#written(node.output)))
    } else if (node.op !== 'operator' || format === undefined) {
      this.nodes.push(node)
    } else if (node.attributes.operator === 'QuantizeLinear') {
      await this.#quantize(node)
    } else {
      const bytes = this.#read(node.inputs[0] as Value)
      this.nodes.push(
        bytes.dtype === 'uint8'
          ? {
              op: 'dequantize',
              attributes: format,
              inputs: [bytes],
              output: node.output,
              origin: node.origin,
            }
          : node,
      )
    }
  }
}

/**
 * Brings what stands between DequantizeLinear and QuantizeLinear to steps on bytes, where those give the same: convolutions
 * and dense layers of integer weights, sums, maxima, and reshapes; other conversions become steps of the kernels. So do
 * QLinearConv, QLinearMatMul and MaxPool of bytes, whose definition those steps are.
 *
 * Sums, maxima and conversions give the same bits. A convolution sums integers without rounding, where real numbers would be
 * rounded again and again; what it gives may be one step of the quantization away where the exact result lies halfway
 * between two steps.
 */
export async function fuseQuantized(graph: Graph): Promise<Graph> {
  const found = await byteNodesOf(graph)
  if (found.formats.size === 0 && found.steps.size === 0) return graph
  const run = new QuantizedFusion(graph, found)
  for (const node of graph.nodes) await run.node(node)
  return rewritten(graph, run.nodes)
}
