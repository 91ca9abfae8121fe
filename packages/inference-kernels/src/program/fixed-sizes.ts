// SPDX-License-Identifier: Apache-2.0
import type { Program } from './types.ts'

/** Whether the sizes of everything follow from the program alone. */
export function isOfFixedSizes({ symbols, steps }: Program): boolean {
  return symbols.length === 0 && steps.every(({ op }) => op !== 'operator' && op !== 'if')
}
