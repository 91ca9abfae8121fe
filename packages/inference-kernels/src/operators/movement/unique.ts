// SPDX-License-Identifier: Apache-2.0
import { flag, int } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { computedDtypes, normalAxis, product, requireDtype, required, result } from '../support.ts'

/** Slices along an axis that are equal. */
interface Group {
  /** The first of them. */
  readonly first: number
  readonly members: readonly number[]
}

function compareElements(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  // NaN equals itself and is larger than any number.
  // biome-ignore lint/suspicious/noSelfCompare: tells NaN, also where elements are big integers
  return Number(a !== a) - Number(b !== b)
}

/** The groups in the order of their elements, or in that of their first slices. */
function groupsOf({ data, dims }: OperandType, axis: number, sorted: boolean): Group[] {
  const source = data as Float32Array
  const size = dims[axis] as number
  const outer = product(dims.slice(0, axis))
  const inner = product(dims.slice(axis + 1))
  const compare = (s: number, t: number): number => {
    for (let o = 0; o < outer; o++) {
      const [a, b] = [(o * size + s) * inner, (o * size + t) * inner]
      for (let i = 0; i < inner; i++) {
        const order = compareElements(source[a + i] as number, source[b + i] as number)
        if (order !== 0) return order
      }
    }
    return 0
  }
  const order = Float64Array.from({ length: size }, (_, i) => i).sort((s, t) => compare(s, t) || s - t)
  const groups: { first: number; members: number[] }[] = []
  for (const slice of order) {
    const last = groups.at(-1)
    if (last !== undefined && compare(last.first, slice) === 0) last.members.push(slice)
    else groups.push({ first: slice, members: [slice] })
  }
  return sorted ? groups : groups.sort((a, b) => a.first - b.first)
}

/**
 * The different slices along an axis, with the index of the first of each kind, the kind of every slice, and how many there
 * are of each kind.
 */
export const unique = defineOperator({
  name: 'Unique',
  inputCount: [1, 1],
  outputCount: [1, 4],
  attributes: { axis: int(0), sorted: flag(true) },
  contents: [0],
  infer({ inputs, attributes: { axis: given, sorted } }) {
    const x = required(inputs, 0)
    requireDtype(x.dtype, computedDtypes)
    const axis = normalAxis(given, x.dims.length)
    const count = x.data === null ? null : groupsOf(x, axis, sorted).length
    const out: (number | null)[] = [...x.dims]
    out[axis] = count
    const list = result('int64', [count])
    return [result(x.dtype, out), list, result('int64', [x.dims[axis] as number]), list]
  },
  run({ inputs, outputs, attributes: { axis: given, sorted } }) {
    const x = required(inputs, 0)
    const axis = normalAxis(given, x.dims.length)
    const groups = groupsOf(x, axis, sorted)
    if (groups.length !== outputs[0]?.dims[axis]) mismatch('the data is not what sizes were worked out for')
    const size = x.dims[axis] as number
    const outer = product(x.dims.slice(0, axis))
    const inner = product(x.dims.slice(axis + 1))
    const source = x.data as Float32Array
    const target = outputs[0].data as Float32Array
    const [firsts, kinds, counts] = outputs.slice(1).map(({ data }) => data as BigInt64Array)
    for (const [g, { first, members }] of groups.entries()) {
      for (let o = 0; o < outer; o++) {
        const from = (o * size + first) * inner
        target.set(source.subarray(from, from + inner), (o * groups.length + g) * inner)
      }
      if (firsts !== undefined) firsts[g] = BigInt(first)
      if (kinds !== undefined) for (const slice of members) kinds[slice] = BigInt(g)
      if (counts !== undefined) counts[g] = BigInt(members.length)
    }
  },
})
