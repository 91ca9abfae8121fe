// SPDX-License-Identifier: Apache-2.0
import { elementCount } from '@mlcapsule/contracts'
import type {
  Dimension,
  Program,
  ProgramStep,
  ProgramValue,
  Storage,
} from '@mlcapsule/inference-kernels/program'
import { type ConstantTensor, transposedConstant } from '../graph/constant.ts'
import {
  type Branch,
  type Dim,
  type GraphNode,
  isUnknown,
  type NodeOf,
  outputsOf,
  type QuantizedWeights,
  type Value,
} from '../graph/graph.ts'
import type { LaidOutGraph } from '../passes/assign-layouts.ts'
import { isDepthwise } from '../passes/depthwise.ts'
import { float32Storage, type StoragePlan, type WeightsSummary } from './store-weights.ts'
import { type CompiledWeights, type Packing, WeightsLayout } from './weights.ts'

/** As many elements of a constant the engine looks at to work out sizes. */
const decisiveElementCount = 4096

export interface LoweredGraph {
  readonly program: Program
  readonly weights: CompiledWeights
  /** The node of the model that each step came from, for messages. */
  readonly origins: readonly string[]
  /** Small constants that operators read, by their offset among the weights. */
  readonly decisive: ReadonlyMap<number, ConstantTensor>
  readonly storage: WeightsSummary
}

type QuantizedNode = NodeOf<'quantizedConv2d'> | NodeOf<'quantizedDense'> | NodeOf<'quantizedAdd'>

const isQuantized = (node: GraphNode): node is QuantizedNode =>
  node.op === 'quantizedConv2d' || node.op === 'quantizedDense' || node.op === 'quantizedAdd'

interface LoweredBranch {
  readonly stepCount: number
  readonly outputs: readonly number[]
}

/** Numbers values and symbols, and places constants among the weights as steps ask for them. */
class Lowering {
  readonly #symbols = new Map<string, number>()
  readonly values: ProgramValue[] = []
  readonly steps: ProgramStep[] = []
  /** The node of the model that each step came from. */
  readonly origins: string[] = []
  readonly weights = new WeightsLayout()
  /** Small constants that operators read, by their place: sizes may depend on them. */
  readonly decisive = new Map<number, ConstantTensor>()
  readonly #channelsLast: ReadonlySet<Value>
  readonly #stored: StoragePlan['stored']
  readonly #indices = new Map<Value, number>()
  readonly #constants = new Map<string, number>()

  constructor(channelsLast: ReadonlySet<Value>, stored: StoragePlan['stored']) {
    this.#channelsLast = channelsLast
    this.#stored = stored
  }

  get symbols(): readonly string[] {
    return [...this.#symbols.keys()]
  }

  #dims(dims: readonly Dim[]): readonly Dimension[] {
    return dims.map((dim) => {
      if (typeof dim === 'number') return dim
      if (isUnknown(dim)) return null
      const symbol = this.#symbols.get(dim) ?? this.#symbols.size
      this.#symbols.set(dim, symbol)
      return { symbol }
    })
  }

  define(value: Value, storage: Storage): number {
    const layout = this.#channelsLast.has(value) ? 'nhwc' : 'row-major'
    const index = this.values.push({ dtype: value.dtype, dims: this.#dims(value.dims), layout, storage }) - 1
    this.#indices.set(value, index)
    return index
  }

  /** Index of an operand: a value that exists by now, or a constant, which is placed here. */
  operand(value: Value | null | undefined): number {
    if (value == null) throw new TypeError('an operand is missing')
    const known = this.#indices.get(value)
    if (known !== undefined) return known
    const { constant } = value
    if (constant === null) throw new TypeError(`a value of ${value.name} is read before it is made`)
    const layout = this.#channelsLast.has(value) ? 'nhwc' : 'row-major'
    const index = this.packed(constant, layout, { kind: layout === 'nhwc' ? 'nhwc' : 'plain' })
    this.#indices.set(value, index)
    return index
  }

  packed(constant: ConstantTensor, layout: ProgramValue['layout'], packing: Packing): number {
    const { offsetBytes, sizeBytes } = this.weights.place(constant, packing)
    const dtype = ('stored' in packing ? packing.stored?.dtype : undefined) ?? constant.dtype
    const key = `${offsetBytes} ${dtype} ${layout} ${constant.dims.join()}`
    const known = this.#constants.get(key)
    if (known !== undefined) return known
    const storage: Storage = { kind: 'weights', offsetBytes, sizeBytes }
    const index = this.values.push({ dtype, dims: constant.dims, layout, storage }) - 1
    this.#constants.set(key, index)
    return index
  }

  /** The panels of a product, and their scales where they have some. */
  #panels(
    constant: ConstantTensor,
    packing: Extract<Packing, { readonly kind: 'dense' | 'convolution' }>,
  ): { readonly weights: number; readonly scales?: number } {
    const stored = this.#stored.get(constant)
    const weights = this.packed(constant, 'panels16', { ...packing, stored })
    const scales = stored?.scales ?? null
    return scales === null
      ? { weights }
      : { weights, scales: this.packed(scales, 'row-major', { kind: 'plain' }) }
  }

  node(node: GraphNode): void {
    if (node.op === 'reshape') {
      this.define(node.output, { kind: 'alias', of: this.operand(node.inputs[0]) })
      return
    }
    if (node.op === 'batchNorm') throw new TypeError('normalizations are folded before lowering')
    if (node.op === 'operator') this.#operator(node)
    else if (node.op === 'if') this.#if(node)
    else this.#push(this.#step(node), node.origin)
  }

  #push(step: ProgramStep, origin: string): void {
    this.steps.push(step)
    this.origins.push(origin)
  }

  #operator(node: NodeOf<'operator'>): void {
    const { operator, attributes } = node.attributes
    const inputs = node.inputs.map((it) => (it === null ? null : this.operand(it)))
    const outputs = outputsOf(node).map((it) => this.define(it, { kind: 'arena' }))
    for (const [i, value] of node.inputs.entries()) {
      const { storage } = this.values[inputs[i] ?? -1] ?? {}
      const constant = value?.constant
      if (constant == null || storage?.kind !== 'weights') continue
      // What is empty lies where the next one begins.
      const count = elementCount(constant.dims)
      if (count > 0 && count <= decisiveElementCount) this.decisive.set(storage.offsetBytes, constant)
    }
    this.#push({ op: 'operator', operator, inputs, outputs, attributes }, node.origin)
  }

  #if(node: NodeOf<'if'>): void {
    const condition = this.operand(node.inputs[0])
    const at = this.steps.length
    this.steps.length++
    this.origins.push(node.origin)
    const lowerBranch = (branch: Branch): LoweredBranch => {
      const first = this.steps.length
      for (const it of branch.nodes) this.node(it)
      const outputs = branch.outputs.map((it) => this.operand(it))
      return { stepCount: this.steps.length - first, outputs }
    }
    const then = lowerBranch(node.attributes.branches[0])
    const otherwise = lowerBranch(node.attributes.branches[1])
    this.steps[at] = {
      op: 'if',
      condition,
      thenStepCount: then.stepCount,
      elseStepCount: otherwise.stepCount,
      thenOutputs: then.outputs,
      elseOutputs: otherwise.outputs,
      outputs: outputsOf(node).map((it) => this.define(it, { kind: 'arena' })),
    }
  }

  #step(
    node: Exclude<GraphNode, NodeOf<'reshape'> | NodeOf<'batchNorm'> | NodeOf<'operator'> | NodeOf<'if'>>,
  ): ProgramStep {
    if (node.op === 'conv2d') return this.#convolution(node)
    if (isQuantized(node)) return this.#quantized(node)
    const [first, second, third, fourth] = node.inputs
    if (node.op === 'dense') {
      const weights = (second as Value).constant as ConstantTensor
      return {
        op: 'dense',
        input: this.operand(first),
        ...this.#panels(weights, { kind: 'dense' }),
        bias: third == null ? null : this.operand(third),
        residual: fourth == null ? null : this.operand(fourth),
        output: this.define(node.output, { kind: 'arena' }),
        activation: node.attributes.activation,
      }
    }
    if (node.op === 'matmul' || node.op === 'binary') {
      const a = this.operand(first)
      const b = this.operand(second)
      const output = this.define(node.output, { kind: 'arena' })
      return node.op === 'matmul'
        ? { op: 'matmul', a, b, output }
        : { op: 'binary', a, b, output, ...node.attributes }
    }
    if (node.op === 'concat') {
      const inputs = node.inputs.map((it) => this.operand(it))
      return {
        op: 'concat',
        inputs,
        output: this.define(node.output, { kind: 'arena' }),
        axis: node.attributes.axis,
      }
    }
    const input = this.operand(first)
    const output = this.define(node.output, { kind: 'arena' })
    if (node.op === 'softmax') {
      const { axis, softmax } = node.attributes
      return { op: 'softmax', input, output, axis: this.#physicalAxis(node.output, axis), softmax }
    }
    return { op: node.op, input, output, ...node.attributes } as ProgramStep
  }

  #quantizedWeights(weights: QuantizedWeights, groups: number): number {
    const { rows } = weights
    const constant = rows.dims.length === 2 ? transposedConstant(rows, [1, 0]) : rows
    return this.packed({ ...constant }, 'quantizedPanels16', { kind: 'quantized', weights, groups })
  }

  #quantized(node: QuantizedNode): ProgramStep {
    const [input, second] = node.inputs.map((it) => (it === null ? null : this.operand(it)))
    if (node.op === 'quantizedAdd') {
      const { a, b, quantization } = node.attributes
      const output = this.define(node.output, { kind: 'arena' })
      const formats = { aScale: a.scale, aZero: a.zero, bScale: b.scale, bZero: b.zero }
      return { op: node.op, a: input as number, b: second as number, output, ...formats, quantization }
    }
    const groups = node.op === 'quantizedConv2d' ? node.attributes.groups : 1
    const weights = this.#quantizedWeights(node.attributes.weights, groups)
    const output = this.define(node.output, { kind: 'arena' })
    const { inputZero, quantization } = node.attributes
    const own = { input: input as number, weights, output, inputZero, quantization }
    if (node.op === 'quantizedDense') return { op: node.op, ...own }
    const { sum, strides, pads, dilations } = node.attributes
    return {
      op: node.op,
      ...own,
      strides,
      pads,
      dilations,
      groups,
      residual: second ?? null,
      residualScale: sum?.residual.scale ?? 0,
      residualZero: sum?.residual.zero ?? 0,
      sumQuantization: sum?.quantization ?? { scale: 1, zero: 0, low: 0, high: 0 },
    }
  }

  #convolution(node: NodeOf<'conv2d'>): ProgramStep {
    const [input, weights, bias, residual] = node.inputs
    const constant = (weights as Value).constant as ConstantTensor
    const { strides, pads, dilations, groups, activation } = node.attributes
    const depthwise = isDepthwise(node) && residual == null
    const operands = {
      input: this.operand(input),
      ...(depthwise
        ? { weights: this.packed(constant, 'depthwise16', { kind: 'depthwise' }) }
        : this.#panels(constant, { kind: 'convolution', groups })),
      bias: bias == null ? null : this.operand(bias),
    }
    const extra = residual == null ? null : this.operand(residual)
    const output = this.define(node.output, { kind: 'arena' })
    const geometry = { strides, pads, dilations, activation }
    if (depthwise) return { op: 'depthwiseConv2d', ...operands, output, ...geometry }
    return { op: 'conv2d', ...operands, residual: extra, output, groups, ...geometry }
  }

  #physicalAxis(value: Value, axis: number): number {
    if (!this.#channelsLast.has(value)) return axis
    return axis === 1 ? 3 : axis === 0 ? 0 : axis - 1
  }
}

/** The flat list of steps that the enclave runs, and the weights that go with it. */
export function lower({ graph, channelsLast }: LaidOutGraph, storage = float32Storage): LoweredGraph {
  const run = new Lowering(channelsLast, storage.stored)
  const inputs = graph.inputs.map((value) => ({
    name: value.name,
    value: run.define(value, { kind: 'arena' }),
  }))
  for (const node of graph.nodes) run.node(node)
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: run.operand(value) }))
  const weights = run.weights.finish()
  return {
    program: {
      symbols: run.symbols,
      values: run.values,
      steps: run.steps,
      inputs,
      outputs,
      states: [],
      weightsSizeBytes: weights.sizeBytes,
    },
    weights,
    origins: run.origins,
    decisive: run.decisive,
    storage: storage.summary,
  }
}
