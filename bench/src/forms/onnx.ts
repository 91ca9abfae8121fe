// SPDX-License-Identifier: Apache-2.0
import { buildModel, type TestNode, type TestTensor } from '@mlcapsule/model-graph/testing'
import type { Layer, Network, Weights } from '../networks/network.ts'

type Attributes = NonNullable<TestNode['attributes']>

/** Gelu came with operator set 20. */
export const opset = 20

export class OnnxForm {
  readonly nodes: TestNode[] = []
  readonly constants: Record<string, TestTensor> = {}

  node(op: string, inputs: readonly string[], output: string, attributes: Attributes = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes, name: `${output}_${op}` })
    return output
  }

  constant(name: string, tensor: TestTensor | Weights): string {
    this.constants[name] = tensor
    return name
  }

  add(layer: Layer): void {
    switch (layer.op) {
      case 'conv':
      case 'dense':
        this.linearNode(layer, this.#parameters(layer))
        break
      case 'maxPool': {
        const { kernel, stride, pad } = layer
        this.node('MaxPool', [layer.input], layer.output, {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
        })
        break
      }
      case 'globalAverage': {
        const pooled = this.node('GlobalAveragePool', [layer.input], `${layer.output}_pooled`)
        this.node('Flatten', [pooled], layer.output, { axis: 1 })
        break
      }
      case 'flatten':
        this.node('Flatten', [layer.input], layer.output, { axis: 1 })
        break
      case 'add':
        this.#activated(layer.activation, layer.output, (to) => this.node('Add', [layer.a, layer.b], to))
        break
      case 'softmax':
        this.node('Softmax', [layer.input], layer.output, { axis: -1 })
        break
      case 'layerNorm': {
        const scale = this.constant(`${layer.output}_scale`, layer.scale)
        const bias = this.constant(`${layer.output}_bias`, layer.bias)
        this.node('LayerNormalization', [layer.input, scale, bias], layer.output, { axis: -1 })
        break
      }
      case 'attention':
        this.#attention(layer)
        break
    }
  }

  /** @param parameters names of weights and bias */
  linearNode(layer: Extract<Layer, { op: 'conv' | 'dense' }>, parameters: readonly string[]): void {
    const inputs = [layer.input, ...parameters]
    this.#activated(layer.activation, layer.output, (to) => {
      if (layer.op === 'dense') return this.node('Gemm', inputs, to)
      const { stride, pad, groups, weights } = layer
      const [, , height = 1, width = 1] = weights.dims
      return this.node('Conv', inputs, to, {
        kernel_shape: [height, width],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        group: groups,
      })
    })
  }

  #parameters({ output, weights, bias }: { output: string; weights: Weights; bias: Weights }): string[] {
    return [this.constant(`${output}_weights`, weights), this.constant(`${output}_bias`, bias)]
  }

  #activated(
    activation: 'none' | 'relu' | 'relu6' | 'gelu',
    output: string,
    write: (to: string) => string,
  ): void {
    if (activation === 'none') {
      write(output)
      return
    }
    const linear = write(`${output}_linear`)
    if (activation === 'relu') this.node('Relu', [linear], output)
    else if (activation === 'gelu') this.node('Gelu', [linear], output)
    else {
      const low = this.constant('clip_low', { dims: [], data: Float32Array.of(0) })
      const high = this.constant('clip_high', { dims: [], data: Float32Array.of(6) })
      this.node('Clip', [linear, low, high], output)
    }
  }

  #attention(layer: Extract<Layer, { op: 'attention' }>): void {
    const { output, headCount, sequence, headWidth } = layer
    const integers = (name: string, values: readonly number[]) =>
      this.constant(name, { dims: [values.length], data: BigInt64Array.from(values, BigInt) })
    const split = integers('split_heads', [sequence, headCount, headWidth])
    const join = integers('join_heads', [sequence, headCount * headWidth])
    const scale = this.constant('attention_scale', { dims: [], data: Float32Array.of(headWidth ** -0.5) })
    const heads = (from: string, perm: readonly number[], part: string) => {
      const parted = this.node('Reshape', [from, split], `${output}_${part}_parted`)
      return this.node('Transpose', [parted], `${output}_${part}`, { perm })
    }
    const query = heads(layer.query, [1, 0, 2], 'query')
    const key = heads(layer.key, [1, 2, 0], 'key')
    const value = heads(layer.value, [1, 0, 2], 'value')
    const scores = this.node('MatMul', [query, key], `${output}_scores`)
    const scaled = this.node('Mul', [scores, scale], `${output}_scaled`)
    const weights = this.node('Softmax', [scaled], `${output}_weights`, { axis: -1 })
    const mixed = this.node('MatMul', [weights, value], `${output}_mixed`)
    const turned = this.node('Transpose', [mixed], `${output}_turned`, { perm: [1, 0, 2] })
    this.node('Reshape', [turned, join], output)
  }
}

/**
 * The bytes of a network as an ONNX file.
 * @param outputs names of the values that come out; the network's own by default
 */
export function toOnnx(
  { inputDims, output, layers }: Network,
  outputs: readonly string[] = [output],
): Uint8Array {
  const form = new OnnxForm()
  for (const layer of layers) form.add(layer)
  return buildModel({
    opset,
    inputs: { input: inputDims },
    outputs: Object.fromEntries(outputs.map((name) => [name, null])),
    constants: form.constants,
    nodes: form.nodes,
  })
}
