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

const usual = ['Sigmoid', 'Tanh', 'Tanh'] as const
const gateCount = 4

/** Long short-term memory, with the gates in the order input, output, forget, cell, and peepholes input, output, forget. */
export const lstm = defineOperator({
  name: 'LSTM',
  inputCount: [3, 8],
  outputCount: [1, 3],
  attributes: { ...recurrentAttributes, input_forget: int(0) },
  infer({ inputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, gateCount)
    const { activations, activation_alpha, activation_beta } = attributes
    readActivations(activations, activation_alpha, activation_beta, usual, sizes.directions)
    return recurrentTypes(sizes)
  },
  run({ inputs, outputs, attributes }) {
    const sizes = recurrentSizes(inputs, attributes, gateCount)
    const { activations, activation_alpha, activation_beta } = attributes
    const functions = readActivations(activations, activation_alpha, activation_beta, usual, sizes.directions)
    runRecurrent(inputs, outputs, sizes, attributes.direction === 'reverse', (direction) => {
      const { hidden } = sizes
      const biases = biasesOf(inputs[3] ?? null, direction, gateCount, hidden)
      const own = functions.slice(direction * usual.length, (direction + 1) * usual.length)
      const half = gateCount * hidden
      return {
        gateBias: biases.slice(0, half).map((it, i) => it + (biases[half + i] as number)),
        cell: cellOf(inputs, sizes, direction, own, attributes.clip, attributes.input_forget !== 0),
      }
    })
  },
})

/** @param bound of what goes into the functions of the gates */
function cellOf(
  inputs: readonly (Operand | null)[],
  { batch, hidden }: RecurrentSizes,
  direction: number,
  [f, g, h]: readonly RecurrentActivation[],
  bound: number,
  isCoupled: boolean,
): RecurrentCell {
  const matrix = recurrentMatrix(required(inputs, 2), direction)
  const given = inputs[7]?.data as Float32Array | undefined
  const peepholes = given?.subarray(direction * 3 * hidden, (direction + 1) * 3 * hidden)
  const width = gateCount * hidden
  return {
    advance(gates, state, isActive) {
      multiply(
        { data: state.h, at: 0, row: hidden, column: 1 },
        matrix,
        { data: gates, at: 0, row: width },
        [batch, hidden, width],
        { isAdded: true },
      )
      for (let b = 0; b < batch; b++) {
        if (!isActive(b)) continue
        const c = state.c.subarray(b * hidden, (b + 1) * hidden)
        const input = b * width
        const output = input + hidden
        const forget = output + hidden
        const cell = forget + hidden
        const finish = (gate: number, peephole: number, activation: RecurrentActivation | undefined) => {
          if (peepholes !== undefined && peephole >= 0)
            addProducts(gates, gate, peepholes, peephole * hidden, c)
          clip(bound, gates, gate, gate + hidden)
          activate(activation as RecurrentActivation, gates, gate, gate + hidden)
        }
        finish(input, 0, f)
        if (isCoupled) for (let j = 0; j < hidden; j++) gates[forget + j] = 1 - (gates[input + j] as number)
        else finish(forget, 2, f)
        finish(cell, -1, g)
        for (let j = 0; j < hidden; j++) {
          const kept = (gates[forget + j] as number) * (c[j] as number)
          c[j] = kept + (gates[input + j] as number) * (gates[cell + j] as number)
        }
        finish(output, 1, f)
        const out = state.h.subarray(b * hidden, (b + 1) * hidden)
        out.set(c)
        activate(h as RecurrentActivation, out, 0, hidden)
        for (let j = 0; j < hidden; j++) out[j] = (out[j] as number) * (gates[output + j] as number)
      }
    },
  }
}

function addProducts(
  gates: Float32Array,
  at: number,
  weights: Float32Array,
  weightAt: number,
  c: Float32Array,
): void {
  for (let j = 0; j < c.length; j++) {
    gates[at + j] = (gates[at + j] as number) + (weights[weightAt + j] as number) * (c[j] as number)
  }
}
