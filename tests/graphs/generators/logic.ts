// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { exactly, magnitude, union } from '../estimate.ts'
import { type Generator, isExact } from '../graph-writer.ts'
import { pairOf } from './pairs.ts'
import { broadcastDims, canBroadcast } from './shapes.ts'

const truth = exactly(0, 1)

function comparison(op: string, since: number): Generator {
  return {
    op,
    since,
    add: (w) => {
      const dtypes: readonly DType[] = w.opset < 9 ? ['float32'] : ['float32', 'int32', 'int64']
      const dtype =
        op === 'Equal' && w.opset < 11
          ? w.random.pick(['int32', 'int64', 'bool'] as const)
          : w.random.pick(dtypes)
      const [a, b] = pairOf(w, dtype, isExact)
      return w.add(op, [a, b], {}, { dtype: 'bool', dims: broadcastDims(a.dims, b.dims), estimate: truth })
    },
  }
}

const connective = (op: string): Generator => ({
  op,
  add: (w) => {
    const [a, b] = pairOf(w, 'bool')
    return w.add(op, [a, b], {}, { dtype: 'bool', dims: broadcastDims(a.dims, b.dims), estimate: truth })
  },
})

const bitwise = (op: string): Generator => ({
  op,
  since: 18,
  weight: 0.5,
  add: (w) => {
    const dtype = w.random.pick(['int32', 'int64', 'uint8', 'int8'] as const)
    const [a, b] = pairOf(w, dtype, ({ estimate }) => magnitude(estimate) <= 100)
    const estimate = dtype === 'uint8' ? exactly(0, 255) : exactly(-128, 127)
    return w.add(op, [a, b], {}, { dtype, dims: broadcastDims(a.dims, b.dims), estimate })
  },
})

const bitwiseNot: Generator = {
  op: 'BitwiseNot',
  since: 18,
  weight: 0.5,
  add: (w) => {
    const x = w.value(w.random.pick(['int32', 'int64', 'int8'] as const))
    const most = magnitude(x.estimate) + 1
    return w.add('BitwiseNot', [x], {}, { ...x, estimate: exactly(-most, most) })
  },
}

const not: Generator = {
  op: 'Not',
  add: (w) => {
    const x = w.value('bool')
    return w.add('Not', [x], {}, { ...x, estimate: truth })
  },
}

const where: Generator = {
  op: 'Where',
  since: 9,
  weight: 2,
  add: (w) => {
    const dtype = w.random.pick(['float32', 'float32', 'int64', 'int32', 'uint8'] as const)
    const [a, b] = pairOf(w, dtype)
    const dims = broadcastDims(a.dims, b.dims)
    const condition =
      w.find((it) => it.dtype === 'bool' && canBroadcast(it.dims, dims)) ??
      w.operand('bool', w.broadcastable(dims))
    const estimate = union(a.estimate, b.estimate)
    return w.add(
      'Where',
      [condition, a, b],
      {},
      { dtype, dims: broadcastDims(dims, condition.dims), estimate },
    )
  },
}

/** ONNX's numbers of element types. */
const typeNumbers = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 } as const

const cast: Generator = {
  op: 'Cast',
  weight: 2,
  add: (w) => {
    const x = w.value(w.random.pick(['float32', 'int64', 'int32', 'bool', 'uint8'] as const), [0, 4], isExact)
    const { low, high } = x.estimate
    const fits = Object.keys(typeNumbers).filter(
      (it) =>
        it !== x.dtype &&
        (!/int8/.test(it) || (it === 'uint8' ? low >= 0 && high <= 255 : low >= -128 && high <= 127)),
    ) as (keyof typeof typeNumbers)[]
    const to = w.random.pick(fits)
    const estimate = to === 'bool' ? truth : exactly(Math.min(low, 0), Math.max(high, 0))
    return w.add('Cast', [x], { to: typeNumbers[to] }, { dtype: to, dims: x.dims, estimate })
  },
}

const classify = (op: 'IsNaN' | 'IsInf', since: number): Generator => ({
  op,
  since,
  weight: 0.5,
  add: (w) => {
    const x = w.value('float32')
    return w.add(op, [x], {}, { dtype: 'bool', dims: x.dims, estimate: truth })
  },
})

export const logicGenerators: readonly Generator[] = [
  comparison('Equal', 7),
  comparison('Greater', 7),
  comparison('Less', 7),
  comparison('GreaterOrEqual', 12),
  comparison('LessOrEqual', 12),
  ...['And', 'Or', 'Xor'].map(connective),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map(bitwise),
  bitwiseNot,
  not,
  where,
  cast,
  classify('IsNaN', 9),
  classify('IsInf', 10),
]
