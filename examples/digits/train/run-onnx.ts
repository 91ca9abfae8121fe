// SPDX-License-Identifier: Apache-2.0
import { fromBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, type NodeProto } from '@mlcapsule/model-graph/onnx-proto'
import { imageSide } from './dataset.ts'
import { DigitsError } from './errors.ts'
import { elementCount } from './network.ts'

/** A tensor in ONNX order. */
interface Values {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** Maps one image, 784 floats 0..1, to ten probabilities. */
export type DigitsModel = (image: Float32Array) => Float32Array

/**
 * Opens the exported file and runs it with plain loops that share nothing with the trainer, so that a mistake in
 * the export shows. It knows the few operators that the digits model has, and no padding or stride.
 * @throws DigitsError `DIGITS_MODEL_UNEXPECTED` – an operator or attribute that the export does not write
 */
export function openOnnx(file: Uint8Array): DigitsModel {
  const graph = fromBinary(ModelProtoSchema, file).graph
  const constants = new Map<string, Values>()
  for (const { name, dims, rawData } of graph?.initializer ?? []) {
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength)
    const shape = dims.map(Number)
    const data = Float32Array.from({ length: elementCount(shape) }, (_, index) =>
      view.getFloat32(index * 4, true),
    )
    constants.set(name, { shape, data })
  }
  return (image) => {
    const values = new Map(constants).set('image', { shape: [1, 1, imageSide, imageSide], data: image })
    for (const node of graph?.node ?? []) {
      const inputs = node.input.map((name) => values.get(name) ?? unexpected(node, `input ${name}`))
      values.set(node.output[0] as string, runNode(node, inputs))
    }
    return values.get('probabilities')?.data ?? new Float32Array()
  }
}

function runNode(node: NodeProto, inputs: Values[]): Values {
  const [input, weight, bias] = inputs as [Values, Values, Values]
  switch (node.opType) {
    case 'Conv':
      expectIntegers(node, { kernel_shape: '5,5', pads: '0,0,0,0', strides: '1,1' })
      return convolve(input, weight, bias)
    case 'MaxPool':
      expectIntegers(node, { kernel_shape: '2,2', strides: '2,2' })
      return poolHalf(input)
    case 'Gemm':
      expectIntegers(node, { transB: '1' })
      return multiply(input, weight, bias)
    case 'Relu':
      return { shape: input.shape, data: input.data.map((value) => Math.max(0, value)) }
    case 'Flatten':
      expectIntegers(node, { axis: '1' })
      return { shape: [1, input.data.length], data: input.data }
    case 'Softmax': {
      expectIntegers(node, { axis: '1' })
      const highest = Math.max(...input.data)
      const powers = Float64Array.from(input.data, (value) => Math.exp(value - highest))
      const sum = powers.reduce((total, power) => total + power, 0)
      return { shape: input.shape, data: Float32Array.from(powers, (power) => power / sum) }
    }
    default:
      return unexpected(node, `operator ${node.opType}`)
  }
}

function convolve({ shape, data }: Values, weight: Values, bias: Values): Values {
  const [, channels = 0, height = 0, width = 0] = shape
  const [outChannels = 0, , kernelHeight = 0, kernelWidth = 0] = weight.shape
  const outHeight = height - kernelHeight + 1
  const outWidth = width - kernelWidth + 1
  const planeCount = outHeight * outWidth
  const sums = new Float64Array(outChannels * planeCount)
  let weightAt = 0
  for (let out = 0; out < outChannels; out++) {
    const plane = sums.subarray(out * planeCount, (out + 1) * planeCount).fill(bias.data[out] as number)
    for (let channel = 0; channel < channels; channel++) {
      for (let y = 0; y < kernelHeight; y++) {
        for (let x = 0; x < kernelWidth; x++) {
          const factor = weight.data[weightAt++] as number
          for (let row = 0; row < outHeight; row++) {
            const from = (channel * height + row + y) * width + x
            const to = row * outWidth
            for (let column = 0; column < outWidth; column++) {
              plane[to + column] = (plane[to + column] as number) + factor * (data[from + column] as number)
            }
          }
        }
      }
    }
  }
  return { shape: [1, outChannels, outHeight, outWidth], data: Float32Array.from(sums) }
}

function poolHalf({ shape, data }: Values): Values {
  const [, channels = 0, height = 0, width = 0] = shape
  const outShape = [1, channels, height / 2, width / 2]
  const result = Float32Array.from({ length: elementCount(outShape) }, (_, index) => {
    const column = index % (width / 2)
    const row = Math.floor(index / (width / 2))
    const at = 2 * row * width + 2 * column
    const [a = 0, b = 0, c = 0, d = 0] = [data[at], data[at + 1], data[at + width], data[at + width + 1]]
    return Math.max(a, b, c, d)
  })
  return { shape: outShape, data: result }
}

function multiply({ data }: Values, weight: Values, bias: Values): Values {
  const [outputCount = 0, inputCount = 0] = weight.shape
  const result = new Float32Array(outputCount)
  for (let out = 0; out < outputCount; out++) {
    let sum = bias.data[out] as number
    for (let index = 0; index < inputCount; index++) {
      sum += (data[index] as number) * (weight.data[out * inputCount + index] as number)
    }
    result[out] = sum
  }
  return { shape: [1, outputCount], data: result }
}

function expectIntegers(node: NodeProto, expected: Readonly<Record<string, string>>): void {
  for (const { name, i, ints } of node.attribute) {
    const value = ints.length > 0 ? ints.join() : String(i)
    if (value !== expected[name]) unexpected(node, `attribute ${name} = ${value}`)
  }
  if (node.attribute.length !== Object.keys(expected).length) unexpected(node, 'number of attributes')
}

function unexpected(node: NodeProto, what: string): never {
  throw new DigitsError('DIGITS_MODEL_UNEXPECTED', `${what} of node ${node.name}`, { field: 'model' })
}
