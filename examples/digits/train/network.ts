// SPDX-License-Identifier: Apache-2.0
import * as tf from '@tensorflow/tfjs-core'
import { classCount, imageSide } from './dataset.ts'
import { createRandomStream } from './random.ts'

/** A convolution of the network: square kernel, stride 1, no padding, then ReLU and 2x2 max pooling. */
export interface ConvolutionLayer {
  readonly name: string
  readonly kernelSide: number
  readonly inputChannels: number
  readonly outputChannels: number
  /** Rows and columns of its output, before pooling. */
  readonly outputSide: number
}

/** A fully connected layer. */
export interface DenseLayer {
  readonly name: string
  readonly inputCount: number
  readonly outputCount: number
}

/** [28,28,1] → conv → [24,24,8] → pool → [12,12,8] → conv → [8,8,16] → pool → [4,4,16]. */
export const convolutions: readonly [ConvolutionLayer, ConvolutionLayer] = [
  { name: 'conv1', kernelSide: 5, inputChannels: 1, outputChannels: 8, outputSide: 24 },
  { name: 'conv2', kernelSide: 5, inputChannels: 8, outputChannels: 16, outputSide: 8 },
]

/** [256] → dense, ReLU → [128] → dense → [10]. */
export const denses: readonly [DenseLayer, DenseLayer] = [
  { name: 'dense1', inputCount: 256, outputCount: 128 },
  { name: 'dense2', inputCount: 128, outputCount: classCount },
]

/** Rows, columns and channels of what the first dense layer reads. */
export const flattenedShape: readonly [number, number, number] = [4, 4, 16]

/** One trained tensor: convolution weights are [row, column, in, out], dense weights [in, out], biases [out]. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** All trained tensors, in the order of {@link parameterShapes}. */
export type Parameters = readonly Parameter[]

/** Names and shapes of all trained tensors. */
export const parameterShapes: readonly { readonly name: string; readonly shape: readonly number[] }[] = [
  ...convolutions.flatMap(({ name, kernelSide, inputChannels, outputChannels }) => [
    { name: `${name}.weight`, shape: [kernelSide, kernelSide, inputChannels, outputChannels] },
    { name: `${name}.bias`, shape: [outputChannels] },
  ]),
  ...denses.flatMap(({ name, inputCount, outputCount }) => [
    { name: `${name}.weight`, shape: [inputCount, outputCount] },
    { name: `${name}.bias`, shape: [outputCount] },
  ]),
]

/** Number of trained floats. */
export const parameterCount: number = parameterShapes.reduce((sum, { shape }) => sum + elementCount(shape), 0)

/** Multiply-accumulates for one image. */
export const macCount: number =
  convolutions.reduce(
    (sum, { kernelSide, inputChannels, outputChannels, outputSide }) =>
      sum + outputSide ** 2 * kernelSide ** 2 * inputChannels * outputChannels,
    0,
  ) + denses.reduce((sum, { inputCount, outputCount }) => sum + inputCount * outputCount, 0)

/** Fresh weights: He-normal (He et al., arXiv:1502.01852), zero biases. */
export function initialParameters(seed: number): Parameters {
  return parameterShapes.map(({ name, shape }) => {
    const values = new Float32Array(elementCount(shape))
    if (name.endsWith('.weight')) {
      const random = createRandomStream(seed, `weights of ${name}`)
      const fanIn = elementCount(shape.slice(0, -1))
      const deviation = Math.sqrt(2 / fanIn)
      for (let index = 0; index < values.length; index++) values[index] = deviation * random.normal()
    }
    return { name, shape, values }
  })
}

/**
 * The network up to its logits (the published model ends with a softmax).
 * @param images [count, 28, 28, 1], 0..1
 * @param weights tensors in the order of {@link parameterShapes}
 * @returns [count, 10]
 */
export function forward(images: tf.Tensor4D, weights: readonly tf.Tensor[]): tf.Tensor2D {
  const [convWeight1, convBias1, convWeight2, convBias2, weight1, bias1, weight2, bias2] = weights as [
    tf.Tensor4D,
    tf.Tensor1D,
    tf.Tensor4D,
    tf.Tensor1D,
    tf.Tensor2D,
    tf.Tensor1D,
    tf.Tensor2D,
    tf.Tensor1D,
  ]
  const features1 = convolve(images, convWeight1, convBias1)
  const features2 = convolve(features1, convWeight2, convBias2)
  const flat = tf.reshape(features2, [images.shape[0], elementCount(flattenedShape)]) as tf.Tensor2D
  const hidden = tf.relu(tf.add(tf.matMul(flat, weight1), bias1)) as tf.Tensor2D
  return tf.add(tf.matMul(hidden, weight2), bias2)
}

/** Shape of a batch of images for {@link forward}. */
export function batchShape(count: number): [number, number, number, number] {
  return [count, imageSide, imageSide, 1]
}

/** Product of the dimensions. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

/**
 * Convolution, bias, ReLU, 2x2 max pooling. The pooling is done first: adding a bias and clamping at zero never
 * change which of four values is largest, so the result is the same to the bit, on a quarter of the elements.
 */
function convolve(input: tf.Tensor4D, weight: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  const pooled = tf.maxPool(tf.conv2d(input, weight, 1, 'valid'), 2, 2, 'valid')
  return tf.relu(tf.add(pooled, bias))
}
