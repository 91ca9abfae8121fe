// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import type { AttributeValue } from '../operators/attributes.ts'

/**
 * A dimension: fixed, the index of a symbol that an input of the query gives, or null where the step that writes the value
 * says what it is. What is not null is checked whenever the program is bound.
 */
export type Dimension = number | { readonly symbol: number } | null

/**
 * How the bytes of a value lie. `dims` stay those of ONNX (NCHW for images); `nhwc` says that the bytes are
 * channels-last. `panels16`, `depthwise16` and `quantizedPanels16` are weights packed as `abi/ops.json` describes.
 */
export type Layout = 'row-major' | 'nhwc' | 'panels16' | 'depthwise16' | 'quantizedPanels16'

/**
 * Where a value lives. `alias` shares the bytes of another value of the same dtype and size: a reshape costs nothing.
 * An arena value is written once: it is an input, or the output of one step. Aliases are not written.
 */
export type Storage =
  | { readonly kind: 'arena' }
  | { readonly kind: 'weights'; readonly offsetBytes: number; readonly sizeBytes: number }
  | { readonly kind: 'alias'; readonly of: number }

export interface ProgramValue {
  readonly dtype: DType
  readonly dims: readonly Dimension[]
  readonly layout: Layout
  readonly storage: Storage
}

/** Applied to each element as a step writes it. `clamp`: alpha = min, beta = max. `leakyrelu`: alpha = slope. */
export interface Activation {
  readonly kind: 'none' | 'clamp' | 'sigmoid' | 'tanh' | 'hardswish' | 'leakyrelu' | 'silu' | 'gelu'
  readonly alpha: number
  readonly beta: number
}

export type Pair = readonly [height: number, width: number]
export type Pads = readonly [top: number, left: number, bottom: number, right: number]

/**
 * How real numbers become bytes: q = zero + round(x / scale), held within low … high. The bounds are those of uint8, or closer
 * where an activation is a part of the step.
 */
export interface Quantization {
  readonly scale: number
  readonly zero: number
  readonly low: number
  readonly high: number
}

/** Operands are indices into `Program.values`; sizes come from the values' dims when the program is bound. */
export type ProgramStep =
  | {
      readonly op: 'conv2d'
      readonly input: number
      /** `panels16`, dims [outC, inC/groups, kH, kW]; float32, float16, or int8 with `scales` */
      readonly weights: number
      readonly bias: number | null
      /** Same dims and layout as the output; added before the activation. */
      readonly residual: number | null
      readonly output: number
      readonly strides: Pair
      readonly pads: Pads
      readonly dilations: Pair
      readonly groups: number
      readonly activation: Activation
      /** [outC]: what int8 weights of each output channel are multiplied by; with other weights there are none. */
      readonly scales?: number
    }
  | {
      readonly op: 'depthwiseConv2d'
      readonly input: number
      /** `depthwise16`, dims [C, 1, kH, kW] */
      readonly weights: number
      readonly bias: number | null
      readonly output: number
      readonly strides: Pair
      readonly pads: Pads
      readonly dilations: Pair
      readonly activation: Activation
    }
  | {
      /**
       * input [..., K] row-major × weights `panels16`, dims [K, N] → output [..., N]. Weights are float32, float16, or int8 with
       * `scales`.
       */
      readonly op: 'dense'
      readonly input: number
      readonly weights: number
      readonly bias: number | null
      readonly residual: number | null
      readonly output: number
      readonly activation: Activation
      /** [N]: what int8 weights of each column are multiplied by; with other weights there are none. */
      readonly scales?: number
    }
  | {
      /** Row-major, rank 2 or more; the dimensions before the last two broadcast. */ readonly op: 'matmul'
      readonly a: number
      readonly b: number
      readonly output: number
    }
  | {
      /**
       * The output's dims say whether a last window that hangs over the padded border counts (`ceil_mode`) or not. What
       * hangs over never enters an average's divisor.
       */
      readonly op: 'pool2d'
      readonly input: number
      readonly output: number
      readonly pool: 'max' | 'average'
      readonly kernel: Pair
      readonly strides: Pair
      readonly pads: Pads
      readonly dilations: Pair
      readonly countIncludePad: boolean
    }
  | {
      readonly op: 'unary'
      readonly input: number
      readonly output: number
      readonly unary: UnaryKind
      readonly alpha: number
      readonly beta: number
    }
  | {
      readonly op: 'binary'
      readonly a: number
      readonly b: number
      readonly output: number
      readonly binary: BinaryKind
      readonly activation: Activation
    }
  | {
      /** `axis` counts in the physical order of the value's layout. */
      readonly op: 'softmax'
      readonly input: number
      readonly output: number
      readonly axis: number
      readonly softmax: 'softmax' | 'logsoftmax'
    }
  | {
      /** Output dimension i is input dimension permutation[i], in logical dims; also converts between layouts. */
      readonly op: 'transpose'
      readonly input: number
      readonly output: number
      readonly permutation: readonly number[]
    }
  | {
      readonly op: 'concat'
      readonly inputs: readonly number[]
      readonly output: number
      readonly axis: number
    }
  | {
      /** Output index i takes input index `starts + i * steps`; steps may be negative, not 0. */
      readonly op: 'slice'
      readonly input: number
      readonly output: number
      readonly starts: readonly number[]
      readonly steps: readonly number[]
    }
  | {
      /**
       * Constant padding; `before` has one entry per logical dimension, the rest follows from the dims. `value` must be
       * exact in the dtype: 0 for float16 and float64, 0 or 1 for bool.
       */
      readonly op: 'pad'
      readonly input: number
      readonly output: number
      readonly before: readonly number[]
      readonly value: number
    }
  | {
      /** Repeats dimensions of 1, right-aligned as in ONNX. */ readonly op: 'expand'
      readonly input: number
      readonly output: number
    }
  | {
      /**
       * All of uint8 but the weights. What the sums mean is packed with the weights: biases that hold what `inputZero` adds,
       * and multipliers, the scales of input and weights over that of the result.
       */
      readonly op: 'quantizedConv2d'
      readonly input: number
      /** `quantizedPanels16` of int8, dims [outC, inC/groups, kH, kW] */
      readonly weights: number
      /** Same dims and layout as the output; its real numbers are added to those of the result. */
      readonly residual: number | null
      readonly output: number
      readonly strides: Pair
      readonly pads: Pads
      readonly dilations: Pair
      readonly groups: number
      readonly inputZero: number
      /** Of the convolution by itself. */
      readonly quantization: Quantization
      readonly residualScale: number
      readonly residualZero: number
      /** Of the sum with the residual; not used without one. */
      readonly sumQuantization: Quantization
    }
  | {
      /** input [..., K] uint8, row-major × weights `quantizedPanels16`, dims [K, N] → output [..., N] uint8 */
      readonly op: 'quantizedDense'
      readonly input: number
      readonly weights: number
      readonly output: number
      readonly inputZero: number
      readonly quantization: Quantization
    }
  | {
      /** float32 to uint8 */
      readonly op: 'quantize'
      readonly input: number
      readonly output: number
      readonly quantization: Quantization
    }
  | {
      /** uint8 to float32 */
      readonly op: 'dequantize'
      readonly input: number
      readonly output: number
      readonly scale: number
      readonly zero: number
    }
  | {
      /** Real numbers of two uint8 values of the same dims and layout, added, as uint8. */
      readonly op: 'quantizedAdd'
      readonly a: number
      readonly b: number
      readonly output: number
      readonly aScale: number
      readonly aZero: number
      readonly bScale: number
      readonly bZero: number
      readonly quantization: Quantization
    }
  | {
      /** uint8; padding never wins. The output's dims decide on a last window that hangs over, as for `pool2d`. */
      readonly op: 'quantizedMaxPool2d'
      readonly input: number
      readonly output: number
      readonly kernel: Pair
      readonly strides: Pair
      readonly pads: Pads
      readonly dilations: Pair
    }
  | {
      /** An operator in TypeScript, by its name; operands row-major. @see Operator */
      readonly op: 'operator'
      readonly operator: string
      readonly inputs: readonly (number | null)[]
      readonly outputs: readonly number[]
      /** Every attribute of the operator. */
      readonly attributes: Readonly<Record<string, AttributeValue>>
    }
  | {
      /**
       * Runs the `thenStepCount` steps that follow where the condition, one bool, is true, else the `elseStepCount` steps
       * after those. `outputs` are then the values that the branch names; what else a branch writes is its own.
       */
      readonly op: 'if'
      readonly condition: number
      readonly thenStepCount: number
      readonly elseStepCount: number
      readonly thenOutputs: readonly number[]
      readonly elseOutputs: readonly number[]
      readonly outputs: readonly number[]
    }

export type UnaryKind =
  | 'identity'
  | 'relu'
  | 'clamp'
  | 'leakyrelu'
  | 'sigmoid'
  | 'tanh'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'neg'
  | 'abs'
  | 'erf'
  | 'reciprocal'
  | 'hardsigmoid'
  | 'hardswish'
  | 'elu'
  | 'softplus'
  | 'floor'
  | 'ceil'

export type BinaryKind = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'pow' | 'prelu'

export interface ProgramPort {
  readonly name: string
  readonly value: number
}

/**
 * What is carried from one query to the next: after a query, `output` is what `input` will be in the next one. Both are
 * values, like an input and an output of the same dtype and rank, and neither is a port: they have no names, and who asks
 * never sees them. `input` has no unknown dimensions.
 *
 * At first a state has the sizes of those symbols that inputs give, 0 for a symbol that only states give (a cache without
 * entries), and zeros for elements.
 */
export interface ProgramState {
  readonly input: number
  readonly output: number
}

/**
 * A model as a flat list of steps in the order in which they run. Inputs are row-major arena values; outputs are
 * row-major and live in the arena or alias what does.
 * Holds no names but those of inputs, outputs and symbols.
 */
export interface Program {
  readonly symbols: readonly string[]
  readonly values: readonly ProgramValue[]
  readonly steps: readonly ProgramStep[]
  readonly inputs: readonly ProgramPort[]
  readonly outputs: readonly ProgramPort[]
  readonly states: readonly ProgramState[]
  readonly weightsSizeBytes: number
}

export type StepOp = ProgramStep['op']
