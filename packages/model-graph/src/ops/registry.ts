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
