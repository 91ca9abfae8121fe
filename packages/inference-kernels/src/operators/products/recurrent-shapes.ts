// SPDX-License-Identifier: Apache-2.0
import { float, floats, int, ints, oneOf } from '../attributes.ts'
import { badValue, mismatch } from '../fault.ts'
import type { Operand, OperandType, ResultType } from '../operator.ts'
import { requireDtype, required, requireSameDtype, result, showDims } from '../support.ts'

export const recurrentAttributes = {
  /** Numbers of `recurrentActivations`, those of each direction in turn. */
  activations: ints(),
  activation_alpha: floats(),
  activation_beta: floats(),
  clip: float(0),
  direction: oneOf(['forward', 'reverse', 'bidirectional']),
  hidden_size: int(0),
  layout: int(0),
}

export interface RecurrentSizes {
  readonly steps: number
  readonly batch: number
  readonly inner: number
  readonly directions: number
  readonly hidden: number
  /** The batch is the first dimension of tensors, not the second. */
  readonly isBatchFirst: boolean
}

interface SizeAttributes {
  readonly clip: number
  readonly direction: 'forward' | 'reverse' | 'bidirectional'
  readonly hidden_size: number
  readonly layout: number
}

function requireShape(operand: OperandType | null, dims: readonly number[], what: string): void {
  if (operand === null) return
  requireSameDtype('float32', operand.dtype)
  if (showDims(operand.dims) !== showDims(dims))
    mismatch(`${what} has shape ${showDims(operand.dims)}, expected ${showDims(dims)}`)
}

/**
 * Sizes of a recurrent layer. Inputs: X, weights W and R, biases, lengths of the sequences, the first h, and, of an LSTM, the
 * first c and peepholes.
 * @param gateCount rows of weights per hidden element
 */
export function recurrentSizes(
  inputs: readonly (OperandType | null)[],
  { clip, direction, hidden_size: hiddenSize, layout }: SizeAttributes,
  gateCount: number,
): RecurrentSizes {
  const x = required(inputs, 0)
  const r = required(inputs, 2)
  requireDtype(x.dtype, ['float32'])
  if (x.dims.length !== 3 || r.dims.length !== 3)
    mismatch(`X has shape ${showDims(x.dims)} and R ${showDims(r.dims)}, expected 3 dimensions`)
  if (layout !== 0 && layout !== 1) mismatch(`layout ${layout}`)
  if (clip < 0) mismatch(`clip ${clip}`)
  const [first, second, inner] = x.dims as [number, number, number]
  const hidden = r.dims[2] as number
  if (hiddenSize !== 0 && hiddenSize !== hidden) mismatch(`hidden_size is ${hiddenSize}, and R has ${hidden}`)
  const directions = direction === 'bidirectional' ? 2 : 1
  const isBatchFirst = layout === 1
  const [steps, batch] = isBatchFirst ? [second, first] : [first, second]
  requireShape(required(inputs, 1), [directions, gateCount * hidden, inner], 'W')
  requireShape(r, [directions, gateCount * hidden, hidden], 'R')
  requireShape(inputs[3] ?? null, [directions, 2 * gateCount * hidden], 'B')
  const lengths = inputs[4] ?? null
  if (lengths !== null) {
    requireDtype(lengths.dtype, ['int32'])
    if (showDims(lengths.dims) !== showDims([batch]))
      mismatch(`lengths have shape ${showDims(lengths.dims)}, expected [${batch}]`)
  }
  const state = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
  requireShape(inputs[5] ?? null, state, 'the first h')
  requireShape(inputs[6] ?? null, state, 'the first c')
  requireShape(inputs[7] ?? null, [directions, 3 * hidden], 'P')
  return { steps, batch, inner, directions, hidden, isBatchFirst }
}

/** Types of all h, the last h and, of an LSTM, the last c. */
export function recurrentTypes({
  steps,
  batch,
  directions,
  hidden,
  isBatchFirst,
}: RecurrentSizes): ResultType[] {
  const all = isBatchFirst ? [batch, steps, directions, hidden] : [steps, directions, batch, hidden]
  const last = result('float32', isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden])
  return [result('float32', all), last, last]
}

/** Steps of each sequence of the batch. */
export function lengthsOf(operand: Operand | null, { steps, batch }: RecurrentSizes): Int32Array {
  if (operand === null) return new Int32Array(batch).fill(steps)
  const lengths = operand.data as Int32Array
  if (lengths.some((it) => it < 0 || it > steps)) badValue(`a sequence has a length outside 0 … ${steps}`)
  return lengths
}
