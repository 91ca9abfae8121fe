// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { functionBounds, functionEstimate } from '../bounds.ts'
import { type Estimate, exactly, magnitude, negated, roughly, rounded } from '../estimate.ts'
import { type Generator, type GraphWriter, isExact, isFloat, type KnownValue } from '../graph-writer.ts'

/** Functions of one float from the table of bounds, with default attributes. */
const tabled: readonly Generator[] = Object.entries(functionBounds).map(([op, { since, domain }]) => ({
  op,
  ...(since === undefined ? {} : { since }),
  weight: 0.4,
  add: (w) => {
    const fits = (it: KnownValue) => isFloat(it) && functionEstimate(op, it.estimate) !== null
    const [low, high] = [Math.ceil(Math.max(domain[0], -4) * 8), Math.floor(Math.min(domain[1], 4) * 8)]
    const x = w.find(fits) ?? w.fresh('float32', w.dims(w.random.between(0, 4)), { low, high, grid: 3 })
    const estimate = functionEstimate(op, x.estimate)
    return estimate !== null && w.add(op, [x], {}, { ...x, estimate })
  },
}))

const nonNegative = ({ low, high, error, grid }: Estimate): Estimate => ({
  low: Math.max(0, low),
  high: Math.max(0, high),
  error,
  grid,
})

const absolute = (x: Estimate): Estimate => ({ ...x, low: 0, high: magnitude(x) })

/** Functions that are exact, or continuous with a slope of at most 1, and the dtypes that they are tried with. */
const simple: Readonly<Record<string, { readonly dtypes: readonly DType[]; of(x: Estimate): Estimate }>> = {
  Abs: { dtypes: ['float32', 'int32', 'int64', 'int8'], of: absolute },
  Identity: { dtypes: ['float32', 'int64', 'bool', 'uint8'], of: (x) => x },
  Neg: { dtypes: ['float32', 'int32', 'int64', 'int8'], of: negated },
  Relu: { dtypes: ['float32'], of: nonNegative },
}

const plain: readonly Generator[] = Object.entries(simple).map(([op, { dtypes, of }]) => ({
  op,
  weight: op === 'Relu' ? 2 : 1,
  add: (w) => {
    const x = w.value(w.random.pick(dtypes), [0, 4], () => true, 'allowed')
    return w.add(op, [x], {}, { ...x, estimate: of(x.estimate) })
  },
}))

/** Steps: tried where every implementation has the same operand. */
function step(
  op: string,
  since: number,
  of: (x: Estimate) => Estimate,
  dtypes: readonly DType[] = ['float32'],
): Generator {
  return {
    op,
    since,
    add: (w) => {
      const x = w.value(w.random.pick(dtypes), [0, 4], isExact)
      return w.add(op, [x], {}, { ...x, estimate: of(x.estimate) })
    },
  }
}

const whole = ({ low, high }: Estimate) => exactly(Math.floor(low), Math.ceil(high))

/** Attributes other than the defaults. */
const parametric: readonly Generator[] = [
  {
    op: 'LeakyRelu',
    add: (w) => {
      const x = w.value('float32')
      const alpha = w.random.pick([0.25, 0.1, 1.5, -0.5])
      const most = Math.max(1, Math.abs(alpha)) * magnitude(x.estimate)
      const estimate = roughly(-most, most, 1.5 * x.estimate.error + 2 ** -22 * most)
      return w.add('LeakyRelu', [x], { alpha: { float: alpha } }, { ...x, estimate })
    },
  },
  {
    op: 'HardSigmoid',
    add: (w) => {
      const x = w.value('float32')
      const attributes = { alpha: { float: 0.25 }, beta: { float: 0.75 } }
      const estimate = roughly(0, 1, x.estimate.error * 0.25 + 2 ** -21 * Math.max(1, magnitude(x.estimate)))
      return w.add('HardSigmoid', [x], attributes, { ...x, estimate })
    },
  },
  {
    op: 'ThresholdedRelu',
    since: 10,
    add: (w) => {
      const x = w.value('float32', [0, 4], isExact)
      const estimate = nonNegative(x.estimate)
      return w.add(
        'ThresholdedRelu',
        [x],
        { alpha: { float: w.random.pick([0.5, 1, 2]) } },
        { ...x, estimate },
      )
    },
  },
  {
    op: 'Shrink',
    since: 9,
    add: (w) => {
      const x = w.value('float32', [0, 4], isExact)
      const attributes = {
        lambd: { float: w.random.pick([0.5, 1.5]) },
        bias: { float: w.random.pick([0, 0.5]) },
      }
      const most = magnitude(x.estimate) + 1
      return w.add('Shrink', [x], attributes, {
        ...x,
        estimate: rounded({ ...x.estimate, low: -most, high: most, grid: 4 }),
      })
    },
  },
  {
    op: 'Clip',
    add: (w) => clip(w),
  },
]

function clip(w: GraphWriter): boolean {
  const dtype = w.opset >= 12 ? w.random.pick(['float32', 'float32', 'int32', 'int64'] as const) : 'float32'
  const x = w.value(dtype)
  const [low, high] = w.random.pick([
    [-1, 1],
    [0, 6],
    [-2, 3],
  ] as const)
  const estimate = {
    ...x.estimate,
    low: Math.min(high, Math.max(low, x.estimate.low)),
    high: Math.max(low, Math.min(high, x.estimate.high)),
  }
  if (w.opset < 11) {
    const attributes = { min: { float: low }, max: { float: high } }
    return w.add('Clip', [x], attributes, { ...x, estimate })
  }
  const bound = (value: number) => w.setting([value], [], dtype)
  const hasBounds = [w.random.chance(0.8), w.random.chance(0.8)] as const
  const inputs = [x, hasBounds[0] ? bound(low) : '', ...(hasBounds[1] ? [bound(high)] : [])]
  const open = {
    ...x.estimate,
    low: hasBounds[0] ? estimate.low : Math.min(x.estimate.low, estimate.low),
    high: hasBounds[1] ? estimate.high : Math.max(x.estimate.high, estimate.high),
  }
  return w.add('Clip', inputs, {}, { ...x, estimate: open })
}

export const functionGenerators: readonly Generator[] = [
  ...tabled,
  ...plain,
  step('Floor', 7, whole),
  step('Ceil', 7, whole),
  step('Round', 11, whole),
  step('Sign', 9, () => exactly(-1, 1), ['float32', 'int32', 'int64', 'int8']),
  ...parametric,
]
