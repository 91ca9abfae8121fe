// SPDX-License-Identifier: Apache-2.0
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import type { Program } from './types.ts'

/**
 * Puts numbers in the place of symbols.
 * @param symbols a positive integer for each symbol of the program, and nothing else
 * @returns the logical dims of each value
 * @throws KernelError `PROGRAM_SYMBOL_INVALID`, `PROGRAM_TOO_LARGE`
 */
export function bindDims(
  program: Program,
  symbols: Readonly<Record<string, number>>,
): readonly (readonly number[])[] {
  for (const name of Object.keys(symbols)) {
    if (!program.symbols.includes(name)) {
      const known = program.symbols.join(', ') || 'none'
      failProgram(
        `symbols.${name}`,
        `the program has no such symbol, it has: ${known}`,
        'PROGRAM_SYMBOL_INVALID',
      )
    }
  }
  const sizes = program.symbols.map((name) => {
    const size = Object.hasOwn(symbols, name) ? symbols[name] : undefined
    assertInteger(size, 1, programLimits.dimension, `symbols.${name}`, 'PROGRAM_SYMBOL_INVALID')
    return size
  })
  return program.values.map(({ dims }, i) => {
    const bound = dims.map((dim) => (typeof dim === 'number' ? dim : (sizes[dim.symbol] as number)))
    const count = bound.reduce((product, dim) => product * dim, 1)
    if (count > programLimits.elementCount) {
      failProgram(
        `values[${i}]`,
        `[${bound.join(', ')}] has more than ${programLimits.elementCount} elements`,
        'PROGRAM_TOO_LARGE',
      )
    }
    return bound
  })
}
