// SPDX-License-Identifier: Apache-2.0
import { programLimits } from './limits.ts'
import { assertInteger, failProgram } from './program-error.ts'
import type { Dimension, Program } from './types.ts'

/** The dims of each value as far as they are numbers: undefined for a value with a dimension that is not. */
export function declaredDims(program: Program): (readonly number[] | undefined)[] {
  return program.values.map(({ dims }) => (dims.every((dim) => typeof dim === 'number') ? dims : undefined))
}

/** Refuses tensors with more elements than the format allows. @throws KernelError `PROGRAM_TOO_LARGE` */
export function assertElementCount(dims: readonly number[], field: string): void {
  const count = dims.reduce((product, dim) => product * Math.max(dim, 1), 1)
  if (count <= programLimits.elementCount) return
  const detail = `[${dims.join(', ')}] has more than ${programLimits.elementCount} elements`
  failProgram(field, detail, 'PROGRAM_TOO_LARGE')
}

/**
 * Dims of the inputs, in order, when each symbol is the number that is given for it.
 * @param symbols a non-negative integer for each symbol of the program, and nothing else
 * @throws KernelError `PROGRAM_SYMBOL_INVALID`
 */
export function inputDims(
  program: Program,
  symbols: Readonly<Record<string, number>>,
): readonly (readonly number[])[] {
  for (const name of Object.keys(symbols)) {
    if (!program.symbols.includes(name)) {
      const known = program.symbols.join(', ') || 'none'
      const detail = `the program has no such symbol, it has: ${known}`
      failProgram(`symbols.${name}`, detail, 'PROGRAM_SYMBOL_INVALID')
    }
  }
  const sizes = program.symbols.map((name) => {
    const size = Object.hasOwn(symbols, name) ? symbols[name] : undefined
    assertInteger(size, 0, programLimits.dimension, `symbols.${name}`, 'PROGRAM_SYMBOL_INVALID')
    return size
  })
  return program.inputs.map(({ value }) =>
    (program.values[value]?.dims ?? []).map((dim) =>
      typeof dim === 'number' ? dim : (sizes[dim?.symbol ?? 0] as number),
    ),
  )
}

/** The number behind each symbol, worked out from the dims of the inputs: binding refuses inputs that disagree. */
export function symbolSizes(program: Program, inputs: readonly (readonly number[])[]): readonly number[] {
  const sizes = new Array<number>(program.symbols.length).fill(1)
  for (const [i, { value }] of program.inputs.entries()) {
    for (const [d, dim] of (program.values[value]?.dims ?? []).entries()) {
      if (typeof dim === 'object' && dim !== null) sizes[dim.symbol] = inputs[i]?.[d] ?? 1
    }
  }
  return sizes
}

/** What a declared dimension asks for: a number, or null where it asks for nothing. */
export function sizeOf(dim: Dimension, sizes: readonly number[]): number | null {
  return dim === null || typeof dim === 'number' ? dim : (sizes[dim.symbol] as number)
}
