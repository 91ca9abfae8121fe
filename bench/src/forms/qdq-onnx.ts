// SPDX-License-Identifier: Apache-2.0
import { buildModel } from '@mlcapsule/model-graph/testing'
import type { Layer, Network, Weights } from '../networks/network.ts'
import { OnnxForm, opset } from './onnx.ts'
import type { Range } from './ranges.ts'

const { fround } = Math

interface Format {
  readonly scale: number
  readonly zero: number
}

function formatOf({ least, most }: Range): Format {
  const scale = fround((most - least) / 255)
  return { scale, zero: Math.round(-least / scale) }
}

type Linear = Extract<Layer, { op: 'conv' | 'dense' }>

/**
 * Writes a network with a pair of QuantizeLinear and DequantizeLinear after each step, as tools for static quantization do:
 * activations in uint8 over their range, weights in int8, symmetric, with a scale for each channel, biases in int32.
 */
class QdqForm extends OnnxForm {
  readonly #formats: ReadonlyMap<string, Format>
  /** The last real number of each value: what its DequantizeLinear gives. */
  readonly #real = new Map<string, string>()

  constructor(formats: ReadonlyMap<string, Format>) {
    super()
    this.#formats = formats
  }

  format(value: string): Format {
    const format = this.#formats.get(value)
    if (format === undefined) throw new Error(`no range of ${value}`)
    return format
  }

  real(value: string): string {
    return this.#real.get(value) ?? value
  }

  #parameters(name: string, { scale, zero }: Format): [string, string] {
    return [
      this.constant(`${name}_scale`, { dims: [], data: Float32Array.of(scale) }),
      this.constant(`${name}_zero`, { dims: [], data: Uint8Array.of(zero), dtype: 'uint8' }),
    ]
  }

  /** Puts the pair of conversions behind a value. */
  requantize(value: string): void {
    const parameters = this.#parameters(value, this.format(value))
    const bytes = this.node('QuantizeLinear', [value, ...parameters], `${value}_bytes`)
    this.#real.set(value, this.node('DequantizeLinear', [bytes, ...parameters], `${value}_real`))
  }

  /** Weights and bias of a layer, by the names of the real numbers that their integers stand for. */
  linear({ input, output, weights, bias, op }: Linear): [string, string] {
    const axis = op === 'conv' ? 0 : 1
    const { scale } = this.format(input)
    const { integers, scales } = quantizedWeights(weights, axis)
    const names = [`${output}_weights`, `${output}_bias`] as const
    const biasScales = scales.map((it) => fround(scale * it))
    this.constant(`${names[0]}_bytes`, { dims: weights.dims, data: integers })
    this.constant(`${names[0]}_scale`, { dims: [scales.length], data: scales })
    this.constant(`${names[0]}_zero`, { dims: [scales.length], data: new Int8Array(scales.length) })
    this.constant(`${names[1]}_integers`, {
      dims: bias.dims,
      data: Int32Array.from(bias.data, (it, i) => Math.round(it / (biasScales[i] as number))),
    })
    this.constant(`${names[1]}_scale`, { dims: bias.dims, data: biasScales })
    this.node('DequantizeLinear', [`${names[0]}_bytes`, `${names[0]}_scale`, `${names[0]}_zero`], names[0], {
      axis,
    })
    this.node('DequantizeLinear', [`${names[1]}_integers`, `${names[1]}_scale`], names[1], { axis: 0 })
    return [...names]
  }
}

function quantizedWeights({ dims, data }: Weights, axis: number) {
  const count = dims[axis] as number
  const inner = dims.slice(axis + 1).reduce((product, dim) => product * dim, 1)
  const channelOf = (i: number) => Math.floor(i / inner) % count
  const scales = new Float32Array(count)
  for (const [i, x] of data.entries()) {
    const channel = channelOf(i)
    scales[channel] = Math.max(scales[channel] as number, Math.abs(x) / 127)
  }
  const integers = Int8Array.from(data, (x, i) => Math.round(x / (scales[channelOf(i)] as number)))
  return { integers, scales }
}

/** The bytes of a network as a quantized ONNX file. @param ranges of all values */
export function toQdqOnnx(
  { inputDims, output, layers }: Network,
  ranges: ReadonlyMap<string, Range>,
): Uint8Array {
  const formats = new Map([...ranges].map(([name, range]) => [name, formatOf(range)]))
  const form = new QdqForm(formats)
  form.requantize('input')
  for (const layer of layers) {
    switch (layer.op) {
      case 'conv':
      case 'dense': {
        const [weights, bias] = form.linear(layer)
        form.linearNode({ ...layer, input: form.real(layer.input) }, [weights, bias])
        form.requantize(layer.output)
        break
      }
      case 'add':
        form.add({ ...layer, a: form.real(layer.a), b: form.real(layer.b) })
        form.requantize(layer.output)
        break
      case 'softmax':
        form.add({ ...layer, input: form.real(layer.input) })
        break
      case 'maxPool':
        form.add({ ...layer, input: form.real(layer.input) })
        formats.set(layer.output, form.format(layer.input))
        form.requantize(layer.output)
        break
      case 'globalAverage':
      case 'flatten':
        form.add({ ...layer, input: form.real(layer.input) })
        form.requantize(layer.output)
        break
      default:
        throw new Error(`${layer.op} has no quantized form here`)
    }
  }
  return buildModel({
    opset,
    inputs: { input: inputDims },
    outputs: { [output]: null },
    constants: form.constants,
    nodes: form.nodes,
  })
}
