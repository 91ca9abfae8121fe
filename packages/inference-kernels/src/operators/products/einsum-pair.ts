// SPDX-License-Identifier: Apache-2.0
import type { Operand } from '../operator.ts'
import { product, rowMajorStrides, walk } from '../support.ts'
import type { Contraction } from './contraction.ts'
import { multiply } from './multiply.ts'

type Strides = ReadonlyMap<number, number>

/** The summed labels as one: its step in an operand, or null where they do not lie in a row. */
function joinedStep(
  labels: readonly number[],
  sizes: ReadonlyMap<number, number>,
  own: Strides,
): number | null {
  let step = 0
  for (const [i, label] of labels.toReversed().entries()) {
    const size = sizes.get(label) as number
    const stride = own.get(label) as number
    if (i > 0 && stride !== step) return null
    step = stride * size
  }
  const last = labels.at(-1)
  return last === undefined ? 0 : (own.get(last) as number)
}

/**
 * A contraction of two float32 operands as matrix products over strides, without a copy. False, with nothing done, where it
 * is no such product: a label is summed over that one operand lacks, or summed labels do not lie in a row.
 */
export function contractPair(
  { sizes, strides, output, summed }: Contraction,
  operands: readonly Operand[],
  out: Operand,
): boolean {
  const [first, second] = operands
  if (first === undefined || second === undefined || operands.length > 2) return false
  if (out.dtype !== 'float32' || product(out.dims) === 0) return false
  const last = output.at(-1)
  if (last === undefined) return false
  const inBoth = (label: number) => strides.every((own) => own.has(label))
  if (inBoth(last) || !summed.every(inBoth)) return false
  // The operand with the last label of the result gives the columns.
  const isSwapped = !(strides[1] as Strides).has(last)
  const [a, b] = isSwapped ? [second, first] : [first, second]
  const [ownA, ownB] = (isSwapped ? strides.toReversed() : strides) as [Strides, Strides]
  const stepA = joinedStep(summed, sizes, ownA)
  const stepB = joinedStep(summed, sizes, ownB)
  if (stepA === null || stepB === null) return false
  const outSteps = new Map(rowMajorStrides(out.dims).map((step, d) => [output[d] as number, step]))
  const row = output.findLast((label) => ownA.has(label) && !ownB.has(label))
  const rest = output.filter((label) => label !== row && label !== last)
  const innerCount = product(summed.map((label) => sizes.get(label) as number))
  const sizeOf = (label: number | undefined) => (label === undefined ? 1 : (sizes.get(label) as number))
  const stepOf = (own: Strides, label: number | undefined) =>
    label === undefined ? 0 : (own.get(label) ?? 0)
  walk(
    rest.map(sizeOf),
    [ownA, ownB, outSteps].map((own) => rest.map((label) => stepOf(own, label))),
    (_, [atA, atB, at]) =>
      multiply(
        { data: a.data as Float32Array, at: atA as number, row: stepOf(ownA, row), column: stepA },
        { data: b.data as Float32Array, at: atB as number, row: stepB, column: stepOf(ownB, last) },
        { data: out.data as Float32Array, at: at as number, row: stepOf(outSteps, row) },
        [sizeOf(row), innerCount, sizeOf(last)],
      ),
  )
  return true
}
