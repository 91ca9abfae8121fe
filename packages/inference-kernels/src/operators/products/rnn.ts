// SPDX-License-Identifier: Apache-2.0
import { defineOperator } from '../operator.ts'
import { required } from '../support.ts'
import { multiply } from './multiply.ts'
import { biasesOf, recurrentMatrix, runRecurrent } from './recurrent.ts'
import { activate, clip, type RecurrentActivation, readActivations } from './recurrent-activations.ts'
import { recurrentAttributes, recurrentSizes, recurrentTypes } from './recurrent-shapes.ts'

const usual = ['Tanh'] as const

/** Elman's recurrent layer: h = f(x W + h R + biases). */
export const rnn = defineOperator({
  name: 'RNN',
  inputCount: [3, 6],
  outputCount: [1, 2],
  attributes: recurrentAttributes,
  infer({ inputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, 1)
    const { activations, activation_alpha, activation_beta } = attributes
    readActivations(activations, activation_alpha, activation_beta, usual, sizes.directions)
    return recurrentTypes(sizes).slice(0, 2)
  },
  run({ inputs, outputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, 1)
    const { batch, hidden, directions } = sizes
    const { activations, activation_alpha, activation_beta } = attributes
    const functions = readActivations(activations, activation_alpha, activation_beta, usual, directions)
    runRecurrent(inputs, outputs, sizes, attributes.direction === 'reverse', (direction) => {
      const biases = biasesOf(inputs[3] ?? null, direction, 1, hidden)
      const matrix = recurrentMatrix(required(inputs, 2), direction)
      const f = functions[direction] as RecurrentActivation
      return {
        gateBias: biases.slice(0, hidden).map((it, i) => it + (biases[hidden + i] as number)),
        cell: {
          advance(gates, { h }, isActive) {
            multiply(
              { data: h, at: 0, row: hidden, column: 1 },
              matrix,
              { data: gates, at: 0, row: hidden },
              [batch, hidden, hidden],
              { isAdded: true },
            )
            for (let b = 0; b < batch; b++) {
              if (!isActive(b)) continue
              const from = b * hidden
              clip(attributes.clip, gates, from, from + hidden)
              activate(f, gates, from, from + hidden)
              h.set(gates.subarray(from, from + hidden), from)
            }
          },
        },
      }
    })
  },
})
