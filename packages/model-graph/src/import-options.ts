// SPDX-License-Identifier: Apache-2.0
import { ModelError, quote } from './errors.ts'

export interface ImportOptions {
  /** Sizes for symbolic dimensions of the inputs, by name, e.g. `{ batch: 1 }`. Those not named stay symbolic. */
  readonly symbols?: Readonly<Record<string, number>>
}

/** @throws ModelError `MODEL_OPTION_INVALID` */
export function checkSymbols(symbols: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(symbols)) {
    if (Number.isSafeInteger(size) && size > 0) continue
    throw new ModelError(
      'MODEL_OPTION_INVALID',
      `symbols[${quote(name)}] is ${size}, expected a positive integer`,
      {
        field: `symbols.${name}`,
      },
    )
  }
}
