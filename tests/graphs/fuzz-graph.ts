// SPDX-License-Identifier: Apache-2.0
import type { Tensor } from '@mlcapsule/contracts'
import type { Estimate } from './estimate.ts'

/** A number is an INT or, as `{ float }`, a FLOAT; a list is INTS. */
export type FuzzAttribute = number | string | readonly number[] | { readonly float: number } | Tensor

export interface FuzzNode {
  readonly op: string
  /** Empty where an optional one is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, FuzzAttribute>>
}

export interface FuzzInput {
  readonly name: string
  readonly tensor: Tensor
  /** What the model says of its shape: names for sizes that a query chooses. */
  readonly declared: readonly (number | string)[]
}

export interface FuzzOutput {
  readonly name: string
  readonly dtype: Tensor['dtype']
  /** What is known of its elements; how far implementations may be apart follows from it. */
  readonly estimate: Estimate
}

/** A graph with a query. */
export interface FuzzGraph {
  readonly opset: number
  readonly inputs: readonly FuzzInput[]
  readonly constants: ReadonlyMap<string, Tensor>
  readonly nodes: readonly FuzzNode[]
  readonly outputs: readonly FuzzOutput[]
  /** Every value that a node makes, as an output would be. */
  readonly values: ReadonlyMap<string, FuzzOutput>
}

/** The same graph with the sizes of the query for all symbolic dimensions. */
export const withFixedSizes = (graph: FuzzGraph): FuzzGraph => ({
  ...graph,
  inputs: graph.inputs.map((it) => ({ ...it, declared: it.tensor.shape })),
})
