// SPDX-License-Identifier: Apache-2.0
import { quote } from '../../errors.ts'
import type { ConstantTensor } from '../../graph/constant.ts'
import { formatDims } from '../../graph/dims.ts'
import type { Value } from '../../graph/graph.ts'
import type { GraphBuilder } from '../../ops/graph-builder.ts'
import { activation, plainName } from '../activations.ts'
import type { Fields } from '../fields.ts'
import type { DataFormat, Pair } from '../images.ts'
import { OnnxCalls } from '../onnx-calls.ts'
import type { WeightNames } from './weight-names.ts'

/** What a layer of layers needs of the walk that it is a part of. */
export interface LayerContext {
  readonly builder: GraphBuilder
  readonly weights: WeightNames
  /** Imports a layer that stands in the configuration of another. @param path names of what is around it */
  apply(layer: Fields, inputs: readonly Value[], path: readonly string[]): readonly Value[]
}

/** One use of a layer, while it is imported. */
export class Layer extends OnnxCalls {
  readonly config: Fields
  readonly inputs: readonly Value[]
  readonly context: LayerContext
  /** Names of the models and wrappers around the layer, and its own. */
  readonly path: readonly string[]

  constructor(
    context: LayerContext,
    layer: {
      readonly className: string
      readonly path: readonly string[]
      readonly config: Fields
      readonly inputs: readonly Value[]
    },
  ) {
    super(context.builder, `layer ${quote(layer.path.at(-1) ?? '')} (${layer.className})`)
    this.context = context
    this.config = layer.config
    this.inputs = layer.inputs
    this.path = layer.path
  }

  /** A layer that this one wraps, on the same inputs. */
  wrapped(className: string, config: Fields, path: readonly string[]): Layer {
    return new Layer(this.context, { className, path, config, inputs: this.inputs })
  }

  /** The input of a layer that has one. */
  get x(): Value {
    const [x] = this.inputs
    if (x === undefined || this.inputs.length > 1) this.unsupported(`has ${this.inputs.length} inputs`)
    return x
  }

  weight(name: string, rank: number): Value & { readonly constant: ConstantTensor } {
    const constant = this.context.weights.find(this.path, name)
    if (constant.dims.length !== rank || constant.dtype !== 'float32') {
      this.mismatch(`weight ${quote(name)} is ${constant.dtype} of shape ${formatDims(constant.dims)}`)
    }
    return { ...this.constant(constant), constant }
  }

  /** Weights of one dimension, where the layer's configuration says that it has them. */
  vector(name: string, isUsed = true): Value | null {
    return isUsed ? this.weight(name, 1) : null
  }

  bias(): Value | null {
    return this.vector('bias', this.config.flag('use_bias', true))
  }

  /** The activation that the configuration names, if any. */
  activated(x: Value): Value {
    return activation(this, this.name('activation', 'linear'), x)
  }

  /** A name, of a function say: text, or an object that holds it. Parameters of functions are not supported. */
  name(field: string, otherwise: string): string {
    const value = this.config.get(field)
    if (typeof value !== 'object') return this.config.string(field, otherwise)
    const object = this.config.object(field)
    const name = object.string('class_name')
    if (object.has('config') && object.object('config').names().length > 0) {
      this.unsupported(`${field} ${quote(name)} with a configuration of its own`)
    }
    return name
  }

  /** One of some words, in whatever case the exporter writes them. */
  word<const Word extends string>(field: string, words: readonly Word[], otherwise: Word): Word {
    const given = plainName(this.config.string(field, otherwise))
    return words.find((it) => plainName(it) === given) ?? this.unsupported(`${field} is ${quote(given)}`)
  }

  format(): DataFormat {
    const format = this.word('data_format', ['channels_last', 'channels_first'], 'channels_last')
    return format === 'channels_last' ? 'NHWC' : 'NCHW'
  }

  /** `count` positive integers: a list of them, or one for all. */
  sizes(field: string, count: number, otherwise?: number | readonly number[]): readonly number[] {
    const given = this.config.get(field) ?? otherwise
    const list = typeof given === 'number' ? new Array<unknown>(count).fill(given) : given
    if (
      !Array.isArray(list) ||
      list.length !== count ||
      !list.every((it) => Number.isSafeInteger(it) && it > 0)
    ) {
      this.invalid(`${field} is not ${count} positive integers`)
    }
    return list
  }

  pair(field: string, otherwise?: number | readonly number[]): Pair {
    return this.sizes(field, 2, otherwise) as unknown as Pair
  }
}

export type LayerImporter = (layer: Layer) => Value | readonly Value[]
export type LayerTable = Readonly<Record<string, LayerImporter>>
