// SPDX-License-Identifier: Apache-2.0
// Steps that only move elements become copies of boxes. Layouts need no care of their own: a box is described by the
// strides of its logical dimensions on both sides.
import { opRecords } from '../abi.generated.ts'
import type { ProgramStep } from '../program/types.ts'
import { floatToBits } from '../records/record.ts'
import type { Lowering, PlacedValue } from './lowering.ts'
import { broadcastStrides, collapseBox, padFront } from './strides.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

interface Side {
  readonly value: PlacedValue
  /** Element at which the box starts. */
  readonly start: number
  readonly strides: readonly number[]
}

function addCopy(to: Lowering, boxDims: readonly number[], from: Side, into: Side): void {
  const { dims, strides } = collapseBox({ dims: boxDims, strides: [from.strides, into.strides] })
  const rank = opRecords.copy.fields.dims.length
  to.add('copy', {
    input: from.value.addressBytes + from.start * from.value.elementSizeBytes,
    output: into.value.addressBytes + into.start * into.value.elementSizeBytes,
    elementSizeBytes: from.value.elementSizeBytes,
    dims: padFront(dims, rank, 1),
    inputStrides: padFront(strides[0] ?? [], rank, 0),
    outputStrides: padFront(strides[1] ?? [], rank, 0),
  })
}

const whole = (value: PlacedValue): Side => ({ value, start: 0, strides: value.strides })

/** Element at the given index of each dimension. */
function elementAt(value: PlacedValue, indices: readonly number[]): number {
  return value.strides.reduce((at, stride, d) => at + stride * (indices[d] ?? 0), 0)
}

export function lowerTranspose(step: StepOf<'transpose'>, to: Lowering): void {
  const input = to.place(step.input)
  const output = to.place(step.output)
  const strides = step.permutation.map((d) => input.strides[d] as number)
  addCopy(to, output.dims, { value: input, start: 0, strides }, whole(output))
}

export function lowerConcat(step: StepOf<'concat'>, to: Lowering): void {
  const output = to.place(step.output)
  const axisStride = output.strides[step.axis] as number
  let at = 0
  for (const value of step.inputs) {
    const input = to.place(value)
    if (input.elementCount === 0) continue
    addCopy(to, input.dims, whole(input), { ...whole(output), start: at * axisStride })
    at += input.dims[step.axis] as number
  }
}

export function lowerSlice(step: StepOf<'slice'>, to: Lowering): void {
  const input = to.place(step.input)
  const output = to.place(step.output)
  const strides = input.strides.map((stride, d) => stride * (step.steps[d] as number))
  addCopy(to, output.dims, { value: input, start: elementAt(input, step.starts), strides }, whole(output))
}

export function lowerPad(step: StepOf<'pad'>, to: Lowering): void {
  const input = to.place(step.input)
  const output = to.place(step.output)
  if (input.elementCount < output.elementCount) {
    to.add('fill', {
      output: output.addressBytes,
      elementSizeBytes: output.elementSizeBytes,
      count: output.elementCount,
      bits: output.dtype === 'float32' ? floatToBits(step.value) : step.value,
    })
  }
  addCopy(to, input.dims, whole(input), { ...whole(output), start: elementAt(output, step.before) })
}

export function lowerExpand(step: StepOf<'expand'>, to: Lowering): void {
  const input = to.place(step.input)
  const output = to.place(step.output)
  const strides = broadcastStrides(input.dims, input.layout, output.dims.length)
  addCopy(to, output.dims, { value: input, start: 0, strides }, whole(output))
}
