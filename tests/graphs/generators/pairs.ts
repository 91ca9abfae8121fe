// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import {
  type Estimate,
  epsilon,
  exactly,
  magnitude,
  negated,
  productOf,
  quotientOf,
  roughly,
  sumOf,
  union,
} from '../estimate.ts'
import { type Generator, type GraphWriter, isExact, type KnownValue, positive } from '../graph-writer.ts'
import { broadcastDims, canBroadcast } from './shapes.ts'

type Accepts = (value: KnownValue) => boolean

/** Two operands that broadcast, in either order; the second is one that there is, or a new one. */
export function pairOf(
  w: GraphWriter,
  dtype: DType,
  accepts: Accepts = () => true,
): readonly [KnownValue, KnownValue] {
  const a = w.value(dtype, [0, 4], accepts, 'allowed')
  const other = w.random.chance(0.5)
    ? w.find((it) => it.dtype === dtype && accepts(it) && canBroadcast(it.dims, a.dims), 'allowed')
    : null
  const b = other ?? w.operand(dtype, w.broadcastable(a.dims))
  return w.random.chance(0.7) ? [a, b] : [b, a]
}

/** Arithmetic on integers of each width wraps; where nothing wraps all agree. */
const isSmall: Accepts = ({ dtype, estimate }) =>
  dtype === 'float32' || magnitude(estimate) <= (dtype === 'int64' ? 1e4 : dtype === 'int32' ? 1e4 : 100)

function arithmetic(op: string, weight: number, of: (a: Estimate, b: Estimate) => Estimate): Generator {
  return {
    op,
    weight,
    add: (w) => {
      const dtype = w.random.pick(['float32', 'float32', 'float32', 'int32', 'int64'] as const)
      const [a, b] = pairOf(w, dtype, isSmall)
      return w.add(
        op,
        [a, b],
        {},
        { dtype, dims: broadcastDims(a.dims, b.dims), estimate: of(a.estimate, b.estimate) },
      )
    },
  }
}

const division: Generator = {
  op: 'Div',
  add: (w) => {
    const dtype = w.random.pick(['float32', 'float32', 'int32', 'int64'] as const)
    const a = w.value(dtype)
    const range = dtype === 'float32' ? positive : { low: 1, high: 7 }
    const isAway: Accepts = ({ estimate }) => estimate.low - estimate.error > 0.1
    const b =
      w.find((it) => it.dtype === dtype && isAway(it) && canBroadcast(it.dims, a.dims)) ??
      w.operand(dtype, w.broadcastable(a.dims), range)
    const dims = broadcastDims(a.dims, b.dims)
    const most = magnitude(a.estimate)
    const estimate = dtype === 'float32' ? quotientOf(a.estimate, b.estimate) : exactly(-most, most)
    return w.add('Div', [a, b], {}, { dtype, dims, estimate })
  },
}

const remainder: Generator = {
  op: 'Mod',
  since: 10,
  add: (w) => {
    const dtype = w.random.pick(['float32', 'int32', 'int64', 'int8', 'uint8'] as const)
    const a = w.value(dtype, [0, 4], isExact)
    const b = w.operand(dtype, w.broadcastable(a.dims), dtype === 'float32' ? positive : { low: 1, high: 7 })
    const fmod = dtype === 'float32' ? 1 : w.random.below(2)
    const estimate = exactly(-8, 8, dtype === 'float32' ? Math.max(a.estimate.grid ?? 0, 3) : 0)
    return w.add('Mod', [a, b], { fmod }, { dtype, dims: broadcastDims(a.dims, b.dims), estimate })
  },
}

const power: Generator = {
  op: 'Pow',
  add: (w) => {
    const exponent = w.random.pick([2, 3, 0.5, -1, 1, 0])
    const needsPositive = exponent === 0.5 || exponent === -1
    const fits: Accepts = ({ dtype, estimate }) =>
      dtype === 'float32' &&
      magnitude(estimate) < 50 &&
      (!needsPositive || estimate.low - estimate.error > 0.1)
    const x = w.find(fits) ?? w.fresh('float32', w.dims(w.random.between(0, 3)), positive)
    const { low, high, error } = x.estimate
    const values = [low ** exponent, high ** exponent, ...(low < 0 && high > 0 ? [0] : [])]
    const most = Math.max(...values.map(Math.abs))
    const slope = Math.abs(exponent) * Math.max(...[low, high].map((it) => Math.abs(it) ** (exponent - 1)))
    const gain = exponent === 0 ? 0 : exponent === 1 ? 1 : slope
    const estimate = roughly(
      Math.min(...values),
      Math.max(...values),
      error * gain * 2 + 32 * epsilon * Math.max(1, most),
    )
    return w.add('Pow', [x, w.scalar(exponent)], {}, { ...x, estimate })
  },
}

function extreme(op: 'Max' | 'Min', choose: (...numbers: number[]) => number): Generator {
  return {
    op,
    add: (w) => {
      const dtype =
        w.opset >= 13 ? w.random.pick(['float32', 'float32', 'int32', 'int64'] as const) : 'float32'
      const operands = operandsOf(w, dtype)
      const joined = union(...operands.map((it) => it.estimate))
      const estimate = {
        ...joined,
        low: choose(...operands.map((it) => it.estimate.low)),
        high: choose(...operands.map((it) => it.estimate.high)),
      }
      const dims = broadcastDims(...operands.map((it) => it.dims))
      return w.add(op, operands, {}, { dtype, dims, estimate })
    },
  }
}

/** One to three operands that broadcast together. */
function operandsOf(w: GraphWriter, dtype: DType): readonly KnownValue[] {
  const first = w.value(dtype)
  const operands = [first]
  const count = w.random.between(0, 2)
  // Before operator set 8 these operators do not broadcast.
  for (let i = 0; i < count; i++) {
    operands.push(w.operand(dtype, w.opset < 8 ? first.dims : w.broadcastable(first.dims)))
  }
  return operands
}

const sum: Generator = {
  op: 'Sum',
  add: (w) => {
    const operands = operandsOf(w, 'float32')
    const estimate = operands.map((it) => it.estimate).reduce(sumOf)
    const dims = broadcastDims(...operands.map((it) => it.dims))
    return w.add('Sum', operands, {}, { dtype: 'float32', dims, estimate })
  },
}

const mean: Generator = {
  op: 'Mean',
  add: (w) => {
    const operands = operandsOf(w, 'float32')
    const total = operands.map((it) => it.estimate).reduce(sumOf)
    const n = operands.length
    const estimate = roughly(total.low / n, total.high / n, total.error / n + 4 * epsilon * magnitude(total))
    const dims = broadcastDims(...operands.map((it) => it.dims))
    return w.add('Mean', operands, {}, { dtype: 'float32', dims, estimate })
  },
}

const prelu: Generator = {
  op: 'PRelu',
  add: (w) => {
    const x = w.value('float32', [1, 4])
    const slope = w.operand('float32', w.random.pick([[1], [x.dims.at(-1) as number], x.dims]))
    const estimate = union(x.estimate, productOf(x.estimate, slope.estimate))
    return w.add('PRelu', [x, slope], {}, { ...x, estimate })
  },
}

export const pairGenerators: readonly Generator[] = [
  arithmetic('Add', 3, sumOf),
  arithmetic('Sub', 2, (a, b) => sumOf(a, negated(b))),
  arithmetic('Mul', 3, productOf),
  division,
  remainder,
  power,
  extreme('Max', Math.max),
  extreme('Min', Math.min),
  sum,
  mean,
  prelu,
]
