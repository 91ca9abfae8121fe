// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import type {
  Activation,
  AttributeValue,
  BinaryKind,
  Quantization,
  QuantizedColumn,
  UnaryKind,
} from '@mlcapsule/inference-kernels/program'
import type { ConstantTensor } from './constant.ts'

/**
 * A dimension: known, the name of one that an input brings, or `?1`, `?2`, … for one that is worked out when it is known
 * what goes in.
 */
export type Dim = number | string

/** Whether a dimension is one that only the engine works out. */
export function isUnknown(dim: Dim): boolean {
  return typeof dim === 'string' && dim.startsWith('?')
}

/** What flows along an edge: the output of one node, an input of the graph, or a constant. Compared by identity. */
export interface Value {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly Dim[]
  readonly constant: ConstantTensor | null
}

type Pair = readonly [height: number, width: number]
type Pads = readonly [top: number, left: number, bottom: number, right: number]

/** Weights of bytes, with what their sums mean. */
export interface QuantizedWeights {
  /** int8, [outC, inC/groups, kH, kW] or, of a dense layer, [N, K] */
  readonly rows: ConstantTensor
  /** One for each row. */
  readonly columns: readonly QuantizedColumn[]
}

/** How bytes stand for real numbers: (q - zero) * scale. */
interface Bytes {
  readonly scale: number
  readonly zero: number
}

/** Attributes of each operation. Dimensions are logical: NCHW for images, whatever layout is chosen later. */
export interface Attributes {
  /** inputs: x [N,C,H,W], weights [O,C/groups,kH,kW] constant, bias [O] constant or null, residual (as output) or null */
  readonly conv2d: {
    readonly strides: Pair
    readonly pads: Pads
    readonly dilations: Pair
    readonly groups: number
    readonly activation: Activation
  }
  /** inputs: x [..., K], weights [K,N] constant, bias [N] constant or null, residual (as output) or null */
  readonly dense: { readonly activation: Activation }
  /** inputs: a [..., M, K], b [..., K, N]; the leading dimensions equal, or those of one operand all 1 */
  readonly matmul: Record<never, never>
  /** input [N,C,H,W]; pads hold what ceil_mode adds */
  readonly pool2d: {
    readonly pool: 'max' | 'average'
    readonly kernel: Pair
    readonly strides: Pair
    readonly pads: Pads
    readonly dilations: Pair
    readonly countIncludePad: boolean
  }
  readonly unary: { readonly unary: UnaryKind; readonly alpha: number; readonly beta: number }
  /** inputs: a, b, broadcast as in NumPy */
  readonly binary: { readonly binary: BinaryKind; readonly activation: Activation }
  readonly softmax: { readonly axis: number; readonly softmax: 'softmax' | 'logsoftmax' }
  /** inputs: x [N,C,...], then scale, bias, mean, variance, each [C] constant. Gone after the passes. */
  readonly batchNorm: { readonly epsilon: number }
  readonly transpose: { readonly permutation: readonly number[] }
  /** The same elements in the same order under other dimensions. */
  readonly reshape: Record<never, never>
  readonly concat: { readonly axis: number }
  /** `starts` and `steps` have one entry per dimension; a step may be negative. */
  readonly slice: { readonly starts: readonly number[]; readonly steps: readonly number[] }
  /** Constant padding: `before` has one entry per dimension, the rest follows from the dimensions. */
  readonly pad: { readonly before: readonly number[]; readonly value: number }
  readonly expand: Record<never, never>
  /** uint8. inputs: x [N,C,H,W], residual (as output) or null. `sum` says what the sum with the residual becomes. */
  readonly quantizedConv2d: {
    readonly weights: QuantizedWeights
    readonly strides: Pair
    readonly pads: Pads
    readonly dilations: Pair
    readonly groups: number
    readonly inputZero: number
    readonly quantization: Quantization
    readonly sum: { readonly residual: Bytes; readonly quantization: Quantization } | null
  }
  /** uint8. input: x [..., K] */
  readonly quantizedDense: {
    readonly weights: QuantizedWeights
    readonly inputZero: number
    readonly quantization: Quantization
  }
  /** float32 to uint8 */
  readonly quantize: { readonly quantization: Quantization }
  /** uint8 to float32 */
  readonly dequantize: Bytes
  /** uint8. inputs: a, b, of the same dimensions */
  readonly quantizedAdd: { readonly a: Bytes; readonly b: Bytes; readonly quantization: Quantization }
  /** uint8. input [N,C,H,W] */
  readonly quantizedMaxPool2d: {
    readonly kernel: Pair
    readonly strides: Pair
    readonly pads: Pads
    readonly dilations: Pair
  }
  /** An operator of the engine, by its name. */
  readonly operator: {
    readonly operator: string
    readonly attributes: Readonly<Record<string, AttributeValue>>
  }
  /** input: the condition, one bool. Runs the first branch where it is true, else the second; the branches read outer values. */
  readonly if: { readonly branches: readonly [Branch, Branch] }
}

/** One way that an `if` may go. As many outputs as the node has. */
export interface Branch {
  readonly nodes: readonly GraphNode[]
  readonly outputs: readonly Value[]
}

export type Op = keyof Attributes

/** A node of the imported graph. Never changed: passes make new ones. */
export type GraphNode = {
  readonly [K in Op]: {
    readonly op: K
    readonly attributes: Attributes[K]
    readonly inputs: readonly (Value | null)[]
    readonly output: Value
    /** Outputs after the first, of operators and `if`. */
    readonly moreOutputs?: readonly Value[]
    /** The node of the model that it came from, for messages. */
    readonly origin: string
  }
}[Op]

export type NodeOf<K extends Op> = Extract<GraphNode, { op: K }>

/** A model in our own operations, nodes in an order in which they can run. */
export interface Graph {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly { readonly name: string; readonly value: Value }[]
  readonly nodes: readonly GraphNode[]
  /** Facts about the model as it was given. */
  readonly source: {
    readonly nodeCount: number
    readonly parameterCount: number
    readonly operators: Readonly<Record<string, number>>
  }
}

export const noActivation: Activation = { kind: 'none', alpha: 0, beta: 0 }

/** Every operand that is there; of an `if` also the values that its branches read, their own among them. */
export function operandsOf(node: GraphNode): readonly Value[] {
  const own = node.inputs.filter((it) => it !== null)
  if (node.op !== 'if') return own
  return [
    ...own,
    ...node.attributes.branches.flatMap(({ nodes, outputs }) => [...nodes.flatMap(operandsOf), ...outputs]),
  ]
}

/** Every output. */
export function outputsOf(node: GraphNode): readonly Value[] {
  return node.moreOutputs === undefined ? [node.output] : [node.output, ...node.moreOutputs]
}

/** How often each value is read by nodes and by the outputs of the graph. */
export function countUses(graph: Graph): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>()
  const use = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1)
  for (const node of graph.nodes) operandsOf(node).forEach(use)
  for (const { value } of graph.outputs) use(value)
  return uses
}
