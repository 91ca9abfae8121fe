// SPDX-License-Identifier: Apache-2.0

/** A constant of a network: float32, row-major; convolution weights are [out, in / groups, height, width]. */
export interface Weights {
  readonly dims: readonly number[]
  readonly data: Float32Array
}

export type Activation = 'none' | 'relu' | 'relu6'

/**
 * One operation. Names say which value it reads and writes; images are NCHW, and every engine may turn them as it likes.
 */
export type Layer =
  | {
      readonly op: 'conv'
      readonly input: string
      readonly output: string
      readonly weights: Weights
      readonly bias: Weights
      readonly stride: number
      /** On all four sides. */
      readonly pad: number
      readonly groups: number
      readonly activation: Activation
    }
  | {
      readonly op: 'maxPool'
      readonly input: string
      readonly output: string
      readonly kernel: number
      readonly stride: number
      readonly pad: number
    }
  /** [n, c, h, w] to [n, c]. */
  | { readonly op: 'globalAverage'; readonly input: string; readonly output: string }
  /** [n, c, h, w] to [n, c * h * w], channels outermost. */
  | { readonly op: 'flatten'; readonly input: string; readonly output: string }
  | {
      readonly op: 'add'
      readonly a: string
      readonly b: string
      readonly output: string
      readonly activation: Activation
    }
  /** Over the last dimension; weights [in, out]. */
  | {
      readonly op: 'dense'
      readonly input: string
      readonly output: string
      readonly weights: Weights
      readonly bias: Weights
      readonly activation: Activation | 'gelu'
    }
  | { readonly op: 'softmax'; readonly input: string; readonly output: string }
  | {
      readonly op: 'layerNorm'
      readonly input: string
      readonly output: string
      readonly scale: Weights
      readonly bias: Weights
    }
  /** softmax(q kᵀ / √width) v for each head, of [sequence, heads * width] each. */
  | {
      readonly op: 'attention'
      readonly query: string
      readonly key: string
      readonly value: string
      readonly output: string
      readonly headCount: number
      readonly sequence: number
      readonly headWidth: number
    }

/** A model without a format: what the engines' own forms are made from. */
export interface Network {
  readonly name: string
  /** The input is called `input`. */
  readonly inputDims: readonly number[]
  readonly output: string
  readonly layers: readonly Layer[]
  /** Multiply-accumulate operations of one query. */
  readonly macCount: number
  readonly parameterCount: number
  /** Set where engines get it as QDQ: activations in uint8, weights in int8 with a scale for each channel. */
  readonly isQuantized?: true
}
