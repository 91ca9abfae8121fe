// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { buildModel, type TestNode, type TestTensor } from './build-model.ts'
import { randomFloats } from './random.ts'

export interface TinyModelOptions {
  /**
   * `mlp`: input `x` [batch, 16], two dense layers. `cnn`: input `x` [batch, 1, 8, 8], convolution, pooling, depthwise
   * convolution with batch normalization and a residual, dense layer. Both end in softmax, output `y` [batch, classCount].
   */
  readonly kind: 'mlp' | 'cnn'
  /** The same seed gives the same bytes. 1 by default. */
  readonly seed?: number
  /** 10 by default. */
  readonly classCount?: number
  /** Size of the first dimension, or its name for one that is bound per query. 1 by default. */
  readonly batch?: number | string
}

/** A small classifier with random weights, as ONNX bytes: for tests that need a model but not what it knows. */
export function tinyModel({ kind, seed = 1, classCount = 10, batch = 1 }: TinyModelOptions): Uint8Array {
  const random = seededRandom(seed)
  const constants: Record<string, TestTensor> = {}
  const weights = (name: string, dims: readonly number[], scale: number): string => {
    const count = dims.reduce((product, dim) => product * dim, 1)
    constants[name] = { dims, data: randomFloats(random, count, scale) }
    return name
  }
  const nodes: TestNode[] = []
  const add = (op: string, inputs: readonly string[], attributes: TestNode['attributes'] = {}): string => {
    const output = `v${nodes.length}`
    nodes.push({ op, inputs, outputs: [output], attributes })
    return output
  }
  const dense = (x: string, name: string, from: number, to: number): string =>
    add('Gemm', [x, weights(`${name}.w`, [to, from], 2 / Math.sqrt(from)), weights(`${name}.b`, [to], 0.5)], {
      transB: 1,
    })
  let logits: string
  if (kind === 'mlp') {
    logits = dense(add('Relu', [dense('x', 'fc1', 16, 24)]), 'fc2', 24, classCount)
  } else {
    const first = add('Conv', ['x', weights('c1.w', [8, 1, 3, 3], 0.6), weights('c1.b', [8], 0.2)], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    })
    const pooled = add('MaxPool', [add('Relu', [first])], { kernel_shape: [2, 2], strides: [2, 2] })
    const deep = add('Conv', [pooled, weights('c2.w', [8, 1, 3, 3], 0.6)], {
      group: 8,
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
    })
    const variance = { dims: [8], data: Float32Array.from({ length: 8 }, () => 0.5 + random()) }
    constants['bn.var'] = variance
    const parameters = ['scale', 'bias', 'mean'].map((name) => weights(`bn.${name}`, [8], 1))
    const normal = add('BatchNormalization', [deep, ...parameters, 'bn.var'])
    const point = add('Conv', [normal, weights('c3.w', [8, 8, 1, 1], 0.6)], { kernel_shape: [1, 1] })
    const sum = add('Relu', [add('Add', [point, pooled])])
    logits = dense(add('Flatten', [sum], { axis: 1 }), 'fc', 128, classCount)
  }
  nodes.push({ op: 'Softmax', inputs: [logits], outputs: ['y'], attributes: { axis: 1 } })
  const input = kind === 'mlp' ? [batch, 16] : [batch, 1, 8, 8]
  return buildModel({ inputs: { x: input }, outputs: { y: [batch, classCount] }, constants, nodes })
}
