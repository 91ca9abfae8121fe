// SPDX-License-Identifier: Apache-2.0
import { normalizedEstimate, recurrentEstimate } from '../bounds.ts'
import { type Estimate, epsilon, magnitude, productOf, quotientOf, roughly, sumOf } from '../estimate.ts'
import type { FuzzAttribute } from '../fuzz-graph.ts'
import { type Generator, type GraphWriter, type KnownValue, positive } from '../graph-writer.ts'
import { product } from './shapes.ts'

const isSmall = ({ estimate }: KnownValue) => magnitude(estimate) <= 16
const stabilizer = 0.25

/** Adds a node whose result is of the shape of what it normalizes, the first operand. */
const addNormalized = (
  w: GraphWriter,
  op: string,
  operands: readonly [KnownValue, ...KnownValue[]],
  estimate: Estimate,
  { epsilon: float = stabilizer, ...attributes }: Readonly<Record<string, number>> = {},
) => w.add(op, operands, { ...attributes, epsilon: { float } }, { ...operands[0], estimate })

const batch: Generator = {
  op: 'BatchNormalization',
  weight: 2,
  add: (w) => {
    const x = w.value('float32', [2, 5], ({ estimate }) => magnitude(estimate) <= 1000)
    const c = x.dims[1] as number
    const [scale, bias, mean] = [0, 1, 2].map(() => w.operand('float32', [c])) as [
      KnownValue,
      KnownValue,
      KnownValue,
    ]
    const variance = w.operand('float32', [c], positive)
    const shifted = sumOf(x.estimate, mean.estimate)
    const normal = quotientOf(shifted, roughly(0.35, 2.1, 1e-7))
    const scaled = sumOf(productOf(normal, scale.estimate), bias.estimate)
    // Scale and mean may have been joined with the bias before.
    const estimate = { ...scaled, error: scaled.error + 32 * epsilon * (magnitude(scaled) + 64) }
    const operands = [x, scale, bias, mean, variance] as const
    return addNormalized(w, 'BatchNormalization', operands, estimate, { epsilon: 1e-5 })
  },
}

const layer: Generator = {
  op: 'LayerNormalization',
  since: 17,
  weight: 1.5,
  add: (w) => {
    const x = w.value('float32', [1, 4], isSmall)
    const axis = w.random.below(x.dims.length)
    const inner = x.dims.slice(axis)
    const scale = w.operand('float32', inner)
    const bias = w.random.chance(0.6) ? w.operand('float32', inner) : null
    const normal = productOf(normalizedEstimate(x.estimate, product(inner), stabilizer), scale.estimate)
    const estimate = bias === null ? normal : sumOf(normal, bias.estimate)
    return addNormalized(w, 'LayerNormalization', [x, scale, ...(bias === null ? [] : [bias])], estimate, {
      axis: w.random.chance(0.5) ? axis - x.dims.length : axis,
    })
  },
}

const rootMeanSquare: Generator = {
  op: 'RMSNormalization',
  since: 23,
  weight: 1,
  add: (w) => {
    const x = w.value('float32', [1, 4], isSmall)
    const axis = w.random.below(x.dims.length)
    const inner = x.dims.slice(axis)
    const scale = w.operand('float32', inner)
    const estimate = productOf(normalizedEstimate(x.estimate, product(inner), stabilizer), scale.estimate)
    return addNormalized(w, 'RMSNormalization', [x, scale], estimate, { axis })
  },
}

const instance: Generator = {
  op: 'InstanceNormalization',
  weight: 0.6,
  add: (w) => {
    const x = w.value('float32', [3, 4], isSmall)
    const c = x.dims[1] as number
    const [scale, bias] = [w.operand('float32', [c]), w.operand('float32', [c])]
    const normal = normalizedEstimate(x.estimate, product(x.dims.slice(2)), stabilizer)
    const estimate = sumOf(productOf(normal, scale.estimate), bias.estimate)
    return addNormalized(w, 'InstanceNormalization', [x, scale, bias], estimate)
  },
}

const group: Generator = {
  op: 'GroupNormalization',
  since: 21,
  weight: 0.6,
  add: (w) => {
    const x = w.fresh('float32', [w.random.between(1, 2), 4, ...w.dims(2)])
    const groups = w.random.pick([1, 2, 4])
    const [scale, bias] = [w.operand('float32', [4]), w.operand('float32', [4])]
    const count = (4 / groups) * product(x.dims.slice(2))
    const normal = normalizedEstimate(x.estimate, count, stabilizer)
    const estimate = sumOf(productOf(normal, scale.estimate), bias.estimate)
    return addNormalized(w, 'GroupNormalization', [x, scale, bias], estimate, { num_groups: groups })
  },
}

const localResponse: Generator = {
  op: 'LRN',
  weight: 0.5,
  add: (w) => {
    const x = w.value('float32', [4, 4], isSmall)
    const attributes = {
      size: w.random.pick([1, 3, 5]),
      alpha: { float: 0.01 },
      beta: { float: 0.75 },
      bias: { float: 1 },
    }
    const most = magnitude(x.estimate)
    return w.add('LRN', [x], attributes, {
      ...x,
      estimate: roughly(-most, most, 2 * x.estimate.error + 64 * epsilon * most),
    })
  },
}

/** Gates and states of the three kinds of recurrent layer. */
const gateCounts = { RNN: 1, GRU: 3, LSTM: 4 } as const

function recurrent(op: keyof typeof gateCounts): Generator {
  return {
    op,
    weight: 0.6,
    add: (w) => {
      const [steps, items, inputs, hidden] = [
        w.random.between(1, 4),
        w.random.between(1, 3),
        w.random.between(1, 4),
        w.random.between(1, 4),
      ]
      const direction = w.random.pick(['forward', 'reverse', 'bidirectional'])
      const ways = direction === 'bidirectional' ? 2 : 1
      const gates = gateCounts[op] * hidden
      const sequence = w.fresh('float32', [steps, items, inputs], { low: -8, high: 8, grid: 3 })
      const weights = (dims: readonly number[]) => w.operand('float32', dims, { low: -8, high: 8, grid: 4 })
      const operands: (KnownValue | string)[] = [
        sequence,
        weights([ways, gates, inputs]),
        weights([ways, gates, hidden]),
      ]
      if (w.random.chance(0.7)) operands.push(weights([ways, 2 * gates]))
      const attributes: Record<string, FuzzAttribute> = { direction, hidden_size: hidden }
      if (op === 'GRU' && w.random.chance(0.5)) attributes.linear_before_reset = 1
      const estimate = recurrentEstimate(steps)
      const state = { dtype: 'float32' as const, dims: [ways, items, hidden], estimate }
      const cell = { ...state, estimate: { ...estimate, low: -steps, high: steps } }
      const all = { ...state, dims: [steps, ways, items, hidden] }
      return w.add(op, operands, attributes, all, state, ...(op === 'LSTM' ? [cell] : []))
    },
  }
}

export const normalizationGenerators: readonly Generator[] = [
  batch,
  layer,
  rootMeanSquare,
  instance,
  group,
  localResponse,
  recurrent('RNN'),
  recurrent('GRU'),
  recurrent('LSTM'),
]
