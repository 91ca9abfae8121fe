// SPDX-License-Identifier: Apache-2.0
import { elementOperators } from './elements/index.ts'
import { movementOperators } from './movement/index.ts'
import type { Operator } from './operator.ts'
import { productOperators } from './products/index.ts'
import { windowOperators } from './windows/index.ts'

const byName: ReadonlyMap<string, Operator> = new Map(
  [...elementOperators, ...movementOperators, ...productOperators, ...windowOperators].map((it) => [
    it.name,
    it,
  ]),
)

export function operatorOf(name: string): Operator | undefined {
  return byName.get(name)
}

export function operatorNames(): readonly string[] {
  return [...byName.keys()]
}
