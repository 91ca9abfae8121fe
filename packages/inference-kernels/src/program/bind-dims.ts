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

/** Values that a query begins with: the inputs', then the states'. */
export function entryValues({ inputs, states }: Program): readonly number[] {
  return [...inputs.map(({ value }) => value), ...states.map(({ input }) => input)]
}

/** Values that a query ends with: the outputs', then the states'. */
export function exitValues({ outputs, states }: Program): readonly number[] {
  return [...outputs.map(({ value }) => value), ...states.map(({ output }) => output)]
}

/**
 * Dims of the inputs, then of the states, when each symbol is the number that is given for it.
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
  return entryValues(program).map((value) =>
    (program.values[value]?.dims ?? []).map((dim) =>
      typeof dim === 'number' ? dim : (sizes[dim?.symbol ?? 0] as number),
    ),
  )
}

/**
 * The number behind each symbol, worked out from the dims of what a query begins with; undefined for one that none of them
 * has.
 * @param dims of the inputs, or of the inputs and the states
 */
export function symbolSizes(
  program: Program,
  dims: readonly (readonly number[])[],
): readonly (number | undefined)[] {
  const sizes = new Array<number | undefined>(program.symbols.length).fill(undefined)
  const values = entryValues(program)
  for (const [i, own] of dims.entries()) {
    for (const [d, dim] of (program.values[values[i] as number]?.dims ?? []).entries()) {
      if (typeof dim === 'object' && dim !== null) sizes[dim.symbol] = own[d]
    }
  }
  return sizes
}

/** Symbols that no input gives. */
export function stateSymbols(program: Program): readonly string[] {
  const given = new Set(
    program.inputs.flatMap(({ value }) =>
      (program.values[value]?.dims ?? []).map((dim) => (typeof dim === 'object' ? dim?.symbol : undefined)),
    ),
  )
  return program.symbols.filter((_, symbol) => !given.has(symbol))
}

/** Dims of the inputs, then of the states, of a first query: symbols that are not given are 1, those of states alone 0. */
export function usualDims(
  program: Program,
  symbols: Readonly<Record<string, number>>,
): readonly (readonly number[])[] {
  const ofStates = stateSymbols(program)
  const usual = Object.fromEntries(program.symbols.map((name) => [name, ofStates.includes(name) ? 0 : 1]))
  return inputDims(program, { ...usual, ...symbols })
}

/** What a declared dimension asks for: a number, or null where it asks for nothing. */
export function sizeOf(dim: Dimension, sizes: readonly (number | undefined)[]): number | null {
  return dim === null || typeof dim === 'number' ? dim : (sizes[dim.symbol] as number)
}
