// SPDX-License-Identifier: Apache-2.0
import { ModelError } from '../errors.ts'
import { modelLimits } from '../limits.ts'
import type { Dim } from './graph.ts'

export function formatDims(dims: readonly Dim[]): string {
  return `[${dims.join(', ')}]`
}

export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis])
}

/** Dimensions of an elementwise result of two operands, by NumPy's rule. Null if they do not go together. */
export function broadcastDims(a: readonly Dim[], b: readonly Dim[]): readonly Dim[] | null {
  const rank = Math.max(a.length, b.length)
  const out: Dim[] = []
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1
    const y = b[b.length - rank + i] ?? 1
    if (x !== y && x !== 1 && y !== 1) return null
    out.push(x === 1 ? y : x)
  }
  return out
}

/** All dimensions as numbers. @throws ModelError `MODEL_SHAPE_UNKNOWN` for a symbolic one */
export function knownDims(dims: readonly Dim[], what: string): readonly number[] {
  return dims.map((dim) => {
    if (typeof dim === 'number') return dim
    throw new ModelError(
      'MODEL_SHAPE_UNKNOWN',
      `${what}: dimension ${JSON.stringify(dim)} of ${formatDims(dims)} must be known`,
    )
  })
}

/** Product of the known dimensions, and the symbolic ones, sorted: equal for shapes of as many elements. */
export function factorDims(dims: readonly Dim[]): {
  readonly known: number
  readonly symbols: readonly string[]
} {
  let known = 1
  const symbols: string[] = []
  for (const dim of dims) {
    if (typeof dim === 'number') known *= dim
    else symbols.push(dim)
  }
  return { known, symbols: symbols.sort() }
}

export function sameElementCount(a: readonly Dim[], b: readonly Dim[]): boolean {
  const x = factorDims(a)
  const y = factorDims(b)
  return x.known === y.known && sameDims(x.symbols, y.symbols)
}

/**
 * Refuses dimensions that no tensor of ours can have.
 * @throws ModelError `MODEL_TOO_LARGE`, `MODEL_SHAPE_MISMATCH`
 */
export function checkDims(dims: readonly Dim[], what: string): void {
  if (dims.length > modelLimits.rank) {
    throw new ModelError(
      'MODEL_TOO_LARGE',
      `${what} has ${dims.length} dimensions, at most ${modelLimits.rank} are supported`,
    )
  }
  let count = 1
  for (const dim of dims) {
    if (typeof dim === 'string') continue
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new ModelError('MODEL_SHAPE_MISMATCH', `${what} has shape ${formatDims(dims)}`)
    }
    // An empty tensor may still have absurd dimensions beside the zero.
    count *= Math.max(dim, 1)
    if (count > modelLimits.tensorElementCount) {
      throw new ModelError('MODEL_TOO_LARGE', `${what} has shape ${formatDims(dims)}: too many elements`)
    }
  }
}
