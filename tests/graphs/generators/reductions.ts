// SPDX-License-Identifier: Apache-2.0
import { lengthEstimate, logSoftmaxEstimate, logSumExpEstimate, softmaxEstimate } from '../bounds.ts'
import { type Estimate, epsilon, exactly, magnitude, productOf, roughly, totalOf } from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import { type Generator, type GraphWriter, isExact, type KnownValue, positive } from '../graph-writer.ts'
import { product } from './shapes.ts'

type Of = (x: Estimate, count: number) => Estimate

function averageOf(x: Estimate, count: number): Estimate {
  const total = totalOf(x, count)
  return roughly(x.low, x.high, total.error / count + 4 * epsilon * magnitude(x))
}

function logOf(total: Estimate): Estimate {
  const low = total.low - total.error
  const most = Math.max(Math.abs(Math.log(low)), Math.abs(Math.log(total.high)))
  return roughly(Math.log(low), Math.log(total.high), total.error / low + 16 * epsilon * Math.max(1, most))
}

function productEstimate(x: Estimate, count: number): Estimate {
  let result = x
  for (let i = 1; i < count; i++) result = productOf(result, x)
  return result
}

const absolute = (x: Estimate): Estimate => ({ ...x, low: 0, high: magnitude(x) })

interface Reduction {
  readonly of: Of
  /** Integers too. */
  readonly hasIntegers?: boolean
  readonly isPositive?: boolean
}

const reductions: Readonly<Record<string, Reduction>> = {
  ReduceL1: { of: (x, n) => totalOf(absolute(x), n), hasIntegers: true },
  ReduceL2: { of: lengthEstimate },
  ReduceLogSum: { of: (x, n) => logOf(totalOf(x, n)), isPositive: true },
  ReduceLogSumExp: { of: logSumExpEstimate },
  ReduceMax: { of: (x) => x, hasIntegers: true },
  ReduceMean: { of: averageOf },
  ReduceMin: { of: (x) => x, hasIntegers: true },
  ReduceProd: { of: productEstimate },
  ReduceSum: { of: totalOf, hasIntegers: true },
  ReduceSumSquare: { of: (x, n) => totalOf(absolute(productOf(x, x)), n), hasIntegers: true },
}

/** Dimensions left when some are reduced. */
function reducedDims(dims: readonly number[], axes: readonly number[], keepsDims: boolean): number[] {
  return dims.flatMap((dim, axis) => (axes.includes(axis) ? (keepsDims ? [1] : []) : [dim]))
}

/** Some axes, as numbers from the front or the back. */
const written = (w: GraphWriter, axes: readonly number[], rank: number) =>
  axes.map((axis) => (w.opset >= 11 && w.random.chance(0.4) ? axis - rank : axis))

function reduction(op: string, { of, hasIntegers = false, isPositive = false }: Reduction): Generator {
  const fits = ({ dtype, estimate }: KnownValue) =>
    dtype === 'float32'
      ? (!isPositive || estimate.low - estimate.error > 0.1) &&
        (op !== 'ReduceLogSumExp' || magnitude(estimate) < 50)
      : magnitude(estimate) <= 1000
  return {
    op,
    weight: 0.6,
    add: (w) => {
      const dtype = hasIntegers ? w.random.pick(['float32', 'float32', 'int32', 'int64'] as const) : 'float32'
      const x =
        w.find((it) => it.dtype === dtype && it.dims.length > 0 && fits(it)) ??
        (isPositive ? w.fresh('float32', w.dims(2), positive) : w.value(dtype, [1, 4], fits))
      const rank = x.dims.length
      const isWhole = w.random.chance(0.15)
      const axes = isWhole
        ? x.dims.map((_, axis) => axis)
        : w.random.some(
            x.dims.map((_, axis) => axis),
            1,
          )
      const keepsDims = w.random.chance(0.5)
      const attributes: Record<string, FuzzAttribute> = { keepdims: keepsDims ? 1 : 0 }
      const inputs: (KnownValue | string)[] = [x]
      if (!isWhole) {
        if (w.opset >= (op === 'ReduceSum' ? 13 : 18)) inputs.push(w.setting(written(w, axes, rank)))
        else attributes.axes = written(w, axes, rank)
      }
      const count = product(axes.map((axis) => x.dims[axis] as number))
      const dims = reducedDims(x.dims, axes, keepsDims)
      return w.add(op, inputs, attributes, { dtype, dims, estimate: of(x.estimate, count) })
    },
  }
}

const extremePlace = (op: 'ArgMax' | 'ArgMin'): Generator => ({
  op,
  add: (w) => {
    const dtype = w.opset >= 13 ? w.random.pick(['float32', 'int32'] as const) : 'float32'
    const x = w.value(dtype, [1, 4], isExact)
    const axis = w.random.below(x.dims.length)
    const keepsDims = w.random.chance(0.5)
    const attributes: Record<string, FuzzAttribute> = {
      axis: written(w, [axis], x.dims.length)[0] as number,
      keepdims: keepsDims ? 1 : 0,
    }
    if (w.opset >= 12 && w.random.chance(0.5)) attributes.select_last_index = 1
    const estimate = exactly(0, x.dims[axis] as number)
    return w.add(op, [x], attributes, {
      dtype: 'int64',
      dims: reducedDims(x.dims, [axis], keepsDims),
      estimate,
    })
  },
})

const cumulative: Generator = {
  op: 'CumSum',
  since: 11,
  add: (w) => {
    const x = w.value(
      w.random.pick(['float32', 'int32', 'int64'] as const),
      [1, 4],
      ({ estimate }) => magnitude(estimate) <= 1000,
    )
    const axis = w.random.below(x.dims.length)
    const attributes = { exclusive: w.random.below(2), reverse: w.random.below(2) }
    const n = x.dims[axis] as number
    const total = totalOf(x.estimate, n)
    const estimate = {
      ...total,
      low: Math.min(0, total.low, x.estimate.low),
      high: Math.max(0, total.high, x.estimate.high),
    }
    return w.add('CumSum', [x, w.setting([axis], [])], attributes, { ...x, estimate })
  },
}

function alongAxis(op: 'Softmax' | 'LogSoftmax' | 'Hardmax', weight: number, of: Of): Generator {
  return {
    op,
    weight,
    add: (w) => {
      const fits = (it: KnownValue) => magnitude(it.estimate) <= 1000 && (op !== 'Hardmax' || isExact(it))
      const x = w.value('float32', [1, 4], fits)
      const axis = w.random.below(x.dims.length)
      // Up to operator set 12 all dimensions from the axis on are one.
      const count = w.opset < 13 ? product(x.dims.slice(axis)) : (x.dims[axis] as number)
      const attributes = { axis: written(w, [axis], x.dims.length)[0] as number }
      return w.add(op, [x], attributes, { ...x, estimate: of(x.estimate, count) })
    },
  }
}

export const reductionGenerators: readonly Generator[] = [
  ...Object.entries(reductions).map(([op, it]) => reduction(op, it)),
  extremePlace('ArgMax'),
  extremePlace('ArgMin'),
  cumulative,
  alongAxis('Softmax', 1.5, softmaxEstimate),
  alongAxis('LogSoftmax', 0.5, logSoftmaxEstimate),
  alongAxis('Hardmax', 0.5, () => exactly(0, 1)),
]
