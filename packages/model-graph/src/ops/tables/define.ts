// SPDX-License-Identifier: Apache-2.0
import type { Value } from '../../graph/graph.ts'
import type { NodeContext } from '../context.ts'

/** How an operator of ONNX's standard domain comes into our graph. */
export interface OperatorDefinition {
  /** Version of the operator set that brought it, if that is above `minimumOpset`. */
  readonly since: number
  /** What is not supported of it, or how it is done, for the documentation. */
  readonly note: string
  /** Gives one value per output; fewer where the rest is not supported. */
  readonly import: (ctx: NodeContext) => Value | readonly Value[]
}

/** Versions of the standard operator set that are understood. */
export const minimumOpset = 6
export const maximumOpset = 28

export const define = (
  importNode: OperatorDefinition['import'],
  note = '',
  since = minimumOpset,
): OperatorDefinition => ({ since, note, import: importNode })
