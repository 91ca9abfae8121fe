// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { quote } from '../errors.ts'
import { checkDims } from '../graph/dims.ts'
import type { Dim, Value } from '../graph/graph.ts'
import type { GraphBuilder } from '../ops/graph-builder.ts'

/**
 * An input of the model. A first dimension that is not known is the symbol `batch`, which all inputs share; another one is
 * named after its input and place.
 * @param dims less than 1 where they are not known
 */
export function inputValue(
  builder: GraphBuilder,
  name: string,
  dtype: DType,
  dims: readonly number[],
  symbols: Readonly<Record<string, number>>,
): Value {
  const named = dims.map((dim, axis): Dim => {
    if (dim > 0) return dim
    // A question mark in front is for dimensions that the engine works out.
    const symbol = axis === 0 ? 'batch' : `${name.replace(/^\?+/, '')}_dim_${axis}`
    return Object.hasOwn(symbols, symbol) ? (symbols[symbol] as number) : symbol
  })
  checkDims(named, `input ${quote(name)}`)
  for (const dim of named) if (typeof dim === 'string') builder.probes.addSymbol(dim)
  return { name, dtype, dims: named, constant: null }
}
