// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { required } from '../support.ts'
import { multiply } from './multiply.ts'
import { biasesOf, type RecurrentCell, recurrentMatrix, runRecurrent } from './recurrent.ts'
import { activate, clip, type RecurrentActivation, readActivations } from './recurrent-activations.ts'
import {
  type RecurrentSizes,
  recurrentAttributes,
  recurrentSizes,
  recurrentTypes,
} from './recurrent-shapes.ts'

const usual = ['Sigmoid', 'Tanh'] as const
const gateCount = 3

/** Gated recurrent unit, with the gates in the order update, reset, hidden. */
export const gru = defineOperator({
  name: 'GRU',
  inputCount: [3, 6],
  outputCount: [1, 2],
  attributes: { ...recurrentAttributes, linear_before_reset: int(0) },
  infer({ inputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, gateCount)
    const { activations, activation_alpha, activation_beta } = attributes
    readActivations(activations, activation_alpha, activation_beta, usual, sizes.directions)
    return recurrentTypes(sizes).slice(0, 2)
  },
  run({ inputs, outputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, gateCount)
    const { hidden, directions } = sizes
    const { activations, activation_alpha, activation_beta } = attributes
    const functions = readActivations(activations, activation_alpha, activation_beta, usual, directions)
    const isLinearFirst = attributes.linear_before_reset !== 0
    runRecurrent(inputs, outputs, sizes, attributes.direction === 'reverse', (direction) => {
      const biases = biasesOf(inputs[3] ?? null, direction, gateCount, hidden)
      const half = gateCount * hidden
      const own = functions.slice(direction * usual.length, (direction + 1) * usual.length)
      // The recurrent bias of the hidden gate is inside the product with the reset gate where that comes after.
      const together = isLinearFirst ? 2 * hidden : half
      const gateBias = biases.slice(0, half)
      for (let i = 0; i < together; i++) gateBias[i] = (gateBias[i] as number) + (biases[half + i] as number)
      const hiddenBias = biases.subarray(half + 2 * hidden)
      const cell = cellOf(
        required(inputs, 2),
        sizes,
        direction,
        own,
        attributes.clip,
        isLinearFirst ? hiddenBias : null,
      )
      return { gateBias, cell }
    })
  },
})

/** @param hiddenBias given: the reset gate comes after the linear part of the hidden gate */
function cellOf(
  r: Operand,
  { batch, hidden }: RecurrentSizes,
  direction: number,
  [f, g]: readonly RecurrentActivation[],
  bound: number,
  hiddenBias: Float32Array | null,
): RecurrentCell {
  const width = gateCount * hidden
  const linear = new Float32Array(batch * hidden)
  const hiddenMatrix = recurrentMatrix(r, direction, 2)
  const product = (from: Float32Array) =>
    multiply(
      { data: from, at: 0, row: hidden, column: 1 },
      hiddenMatrix,
      { data: linear, at: 0, row: hidden },
      [batch, hidden, hidden],
    )
  return {
    advance(gates, { h }, isActive) {
      multiply(
        { data: h, at: 0, row: hidden, column: 1 },
        recurrentMatrix(r, direction),
        { data: gates, at: 0, row: width },
        [batch, hidden, 2 * hidden],
        { isAdded: true },
      )
      if (hiddenBias !== null) product(h)
      for (let b = 0; b < batch; b++) {
        const update = b * width
        const reset = update + hidden
        clip(bound, gates, update, update + 2 * hidden)
        activate(f as RecurrentActivation, gates, update, update + 2 * hidden)
        for (let j = 0, at = b * hidden; j < hidden; j++, at++) {
          const factor = gates[reset + j] as number
          linear[at] =
            hiddenBias === null
              ? factor * (h[at] as number)
              : factor * ((linear[at] as number) + (hiddenBias[j] as number))
        }
      }
      if (hiddenBias === null) product(linear.slice())
      for (let b = 0; b < batch; b++) {
        if (!isActive(b)) continue
        const update = b * width
        const candidate = update + 2 * hidden
        for (let j = 0, at = b * hidden; j < hidden; j++, at++) {
          gates[candidate + j] = (gates[candidate + j] as number) + (linear[at] as number)
        }
        clip(bound, gates, candidate, candidate + hidden)
        activate(g as RecurrentActivation, gates, candidate, candidate + hidden)
        for (let j = 0, at = b * hidden; j < hidden; j++, at++) {
          const kept = gates[update + j] as number
          h[at] = (1 - kept) * (gates[candidate + j] as number) + kept * (h[at] as number)
        }
      }
    },
  }
}
