// SPDX-License-Identifier: Apache-2.0
import type { Operand } from '../operator.ts'
import { required } from '../support.ts'
import { type Matrix, multiply } from './multiply.ts'
import { lengthsOf, type RecurrentSizes } from './recurrent-shapes.ts'

/** What a layer keeps from step to step, one row per sequence of the batch. */
export interface RecurrentState {
  readonly h: Float32Array
  readonly c: Float32Array
}

/** One direction of a layer. */
export interface RecurrentCell {
  /**
   * One step of the whole batch.
   * @param gates x W + biases, a row per sequence; may be overwritten
   * @param isActive whether a sequence still runs; the state of one that does not stays
   */
  advance(gates: Float32Array, state: RecurrentState, isActive: (sequence: number) => boolean): void
}

/** Recurrent weights [gates · hidden, hidden], transposed, from gate `gate` on. */
export function recurrentMatrix(r: Operand, direction: number, gate = 0): Matrix {
  const [, rows, hidden] = r.dims as [number, number, number]
  return {
    data: r.data as Float32Array,
    at: (direction * rows + gate * hidden) * hidden,
    row: 1,
    column: hidden,
  }
}

/** x W + biases for all steps, a row of gates each, in the order of X. */
function inputGates(
  inputs: readonly (Operand | null)[],
  sizes: RecurrentSizes,
  direction: number,
  gateBias: Float32Array,
): Float32Array {
  const { steps, batch, inner } = sizes
  const x = required(inputs, 0)
  const w = required(inputs, 1)
  const count = gateBias.length
  const gates = new Float32Array(steps * batch * count)
  for (let at = 0; at < gates.length; at += count) gates.set(gateBias, at)
  multiply(
    { data: x.data as Float32Array, at: 0, row: inner, column: 1 },
    { data: w.data as Float32Array, at: direction * count * inner, row: 1, column: inner },
    { data: gates, at: 0, row: count },
    [steps * batch, inner, count],
    { isAdded: true },
  )
  return gates
}

/** Biases of one direction: of the input in the first half, of the recurrence in the second. */
export function biasesOf(
  b: Operand | null,
  direction: number,
  gateCount: number,
  hidden: number,
): Float32Array {
  const count = 2 * gateCount * hidden
  return b === null
    ? new Float32Array(count)
    : (b.data as Float32Array).subarray(direction * count, (direction + 1) * count)
}

/**
 * Runs a layer over its sequences. A reversed direction begins at the end of each sequence; past the end of one, h is 0 in the
 * first output and the last states are those at its end.
 * @param cellOf the cell of a direction, and the biases that go with its input
 */
export function runRecurrent(
  inputs: readonly (Operand | null)[],
  outputs: readonly Operand[],
  sizes: RecurrentSizes,
  startsReversed: boolean,
  cellOf: (direction: number) => { readonly cell: RecurrentCell; readonly gateBias: Float32Array },
): void {
  const { steps, batch, directions, hidden, isBatchFirst } = sizes
  const lengths = lengthsOf(inputs[4] ?? null, sizes)
  const all = outputs[0]?.data as Float32Array
  const lasts = outputs.slice(1).map(({ data }) => data as Float32Array)
  all.fill(0)
  for (let direction = 0; direction < directions; direction++) {
    const { cell, gateBias } = cellOf(direction)
    const isReversed = direction === 1 || startsReversed
    const rowOf = (sequence: number) =>
      (isBatchFirst ? sequence * directions + direction : direction * batch + sequence) * hidden
    const state = { h: new Float32Array(batch * hidden), c: new Float32Array(batch * hidden) }
    for (const [own, given] of [
      [state.h, inputs[5]],
      [state.c, inputs[6]],
    ] as const) {
      for (let b = 0; given && b < batch; b++) {
        own.set((given.data as Float32Array).subarray(rowOf(b), rowOf(b) + hidden), b * hidden)
      }
    }
    const inputGate = inputGates(inputs, sizes, direction, gateBias)
    const gates = new Float32Array(batch * gateBias.length)
    for (let step = 0; step < steps; step++) {
      const isActive = (sequence: number) => step < (lengths[sequence] as number)
      const timeOf = (sequence: number) => (isReversed ? (lengths[sequence] as number) - 1 - step : step)
      for (let b = 0; b < batch; b++) {
        if (!isActive(b)) continue
        const at = (isBatchFirst ? b * steps + timeOf(b) : timeOf(b) * batch + b) * gateBias.length
        gates.set(inputGate.subarray(at, at + gateBias.length), b * gateBias.length)
      }
      cell.advance(gates, state, isActive)
      for (let b = 0; b < batch; b++) {
        if (!isActive(b)) continue
        const t = timeOf(b)
        const row = isBatchFirst
          ? (b * steps + t) * directions + direction
          : (t * directions + direction) * batch + b
        all.set(state.h.subarray(b * hidden, (b + 1) * hidden), row * hidden)
      }
    }
    for (const [i, last] of lasts.entries()) {
      const own = i === 0 ? state.h : state.c
      for (let b = 0; b < batch; b++) last.set(own.subarray(b * hidden, (b + 1) * hidden), rowOf(b))
    }
  }
}
