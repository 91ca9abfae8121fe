// SPDX-License-Identifier: Apache-2.0
import { seededRandom } from '@mlcapsule/contracts'
import { randomFloats } from '@mlcapsule/model-graph/testing'
import type { Activation, Layer, Network, Weights } from './network.ts'

/** A value while a network is written: its name, and its size without the batch of 1. */
export interface Image {
  readonly name: string
  readonly channels: number
  readonly size: number
}

export interface Row {
  readonly name: string
  readonly width: number
}

/**
 * Writes a network layer by layer, with weights from a seed. They are scaled so that values neither grow nor vanish with
 * depth: no engine then meets denormals, which cost processors hundreds of cycles.
 */
export class NetworkWriter {
  readonly #layers: Layer[] = []
  readonly #random: () => number
  #macCount = 0
  #parameterCount = 0

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  image(channels: number, size: number): Image {
    return { name: 'input', channels, size }
  }

  /** @param gain 1 keeps the variance of what follows a rectifier */
  conv(
    from: Image,
    channels: number,
    kernel: number,
    options: {
      stride?: number
      pad?: number
      groups?: number
      activation?: Activation
      gain?: number
    } = {},
  ): Image {
    const { stride = 1, pad = (kernel - 1) / 2, groups = 1, activation = 'relu', gain = 1 } = options
    const inner = (from.channels / groups) * kernel * kernel
    const size = Math.floor((from.size + 2 * pad - kernel) / stride) + 1
    const output = this.#name()
    this.#layers.push({
      op: 'conv',
      input: from.name,
      output,
      weights: this.#weights([channels, from.channels / groups, kernel, kernel], gain * Math.sqrt(2 / inner)),
      bias: this.#weights([channels], 0.05),
      stride,
      pad,
      groups,
      activation,
    })
    this.#macCount += size * size * channels * inner
    return { name: output, channels, size }
  }

  maxPool(from: Image, kernel: number, stride: number, pad = 0): Image {
    const output = this.#name()
    this.#layers.push({ op: 'maxPool', input: from.name, output, kernel, stride, pad })
    return {
      name: output,
      channels: from.channels,
      size: Math.floor((from.size + 2 * pad - kernel) / stride) + 1,
    }
  }

  add(a: Image, b: Image, activation: Activation): Image {
    const output = this.#name()
    this.#layers.push({ op: 'add', a: a.name, b: b.name, output, activation })
    return { ...a, name: output }
  }

  addRows(a: Row, b: Row): Row {
    const output = this.#name()
    this.#layers.push({ op: 'add', a: a.name, b: b.name, output, activation: 'none' })
    return { ...a, name: output }
  }

  globalAverage(from: Image): Row {
    const output = this.#name()
    this.#layers.push({ op: 'globalAverage', input: from.name, output })
    return { name: output, width: from.channels }
  }

  flatten(from: Image): Row {
    const output = this.#name()
    this.#layers.push({ op: 'flatten', input: from.name, output })
    return { name: output, width: from.channels * from.size * from.size }
  }

  /** @param rowCount how many rows the layer is applied to */
  dense(from: Row, width: number, activation: Activation | 'gelu', rowCount = 1): Row {
    const output = this.#name()
    const gain = activation === 'none' ? 1 : 2
    this.#layers.push({
      op: 'dense',
      input: from.name,
      output,
      weights: this.#weights([from.width, width], Math.sqrt(gain / from.width)),
      bias: this.#weights([width], 0.05),
      activation,
    })
    this.#macCount += rowCount * from.width * width
    return { name: output, width }
  }

  layerNorm(from: Row): Row {
    const output = this.#name()
    const scale = { dims: [from.width], data: new Float32Array(from.width).fill(1) }
    this.#parameterCount += from.width
    this.#layers.push({
      op: 'layerNorm',
      input: from.name,
      output,
      scale,
      bias: this.#weights([from.width], 0.1),
    })
    return { name: output, width: from.width }
  }

  attention(query: Row, key: Row, value: Row, headCount: number, sequence: number): Row {
    const output = this.#name()
    this.#layers.push({
      op: 'attention',
      query: query.name,
      key: key.name,
      value: value.name,
      output,
      headCount,
      sequence,
      headWidth: query.width / headCount,
    })
    this.#macCount += 2 * sequence * sequence * query.width
    return { name: output, width: query.width }
  }

  softmax(from: Row): Row {
    const output = this.#name()
    this.#layers.push({ op: 'softmax', input: from.name, output })
    return { name: output, width: from.width }
  }

  finish(name: string, inputDims: readonly number[], { name: output }: Row | Image): Network {
    return {
      name,
      inputDims,
      output,
      layers: this.#layers,
      macCount: this.#macCount,
      parameterCount: this.#parameterCount,
    }
  }

  #name(): string {
    return `value_${this.#layers.length}`
  }

  #weights(dims: readonly number[], deviation: number): Weights {
    const count = dims.reduce((product, dim) => product * dim, 1)
    this.#parameterCount += count
    // The deviation of numbers that are uniform up to a bound is the bound over √3.
    return { dims, data: randomFloats(this.#random, count, deviation * Math.sqrt(3)) }
  }
}
