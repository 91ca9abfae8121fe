// SPDX-License-Identifier: Apache-2.0
import type { OperatorDefinition } from './tables/define.ts'
import { elementImporters } from './tables/elements.ts'
import { movementImporters } from './tables/movement.ts'
import { productImporters } from './tables/products.ts'
import { windowImporters } from './tables/windows.ts'

export { maximumOpset, minimumOpset, type OperatorDefinition } from './tables/define.ts'

/** Every supported operator, by its ONNX name. */
export const operators: ReadonlyMap<string, OperatorDefinition> = new Map(
  Object.entries({ ...elementImporters, ...movementImporters, ...productImporters, ...windowImporters }).sort(
    ([a], [b]) => (a < b ? -1 : 1),
  ),
)

/** Operators that hold graphs: the walk over a graph imports them itself. With their limits. */
export const controlFlowOperators: ReadonlyMap<string, string> = new Map([
  ['If', 'branches that give tensors of one rank, unless sizes decide between them'],
])

/** Whether an operator of ONNX's standard domain is supported, in what forms ever. */
export const isSupportedOperator = (name: string): boolean =>
  operators.has(name) || controlFlowOperators.has(name)
