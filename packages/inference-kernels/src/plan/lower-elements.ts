// SPDX-License-Identifier: Apache-2.0
import { opRecords } from '../abi.generated.ts'
import { failProgram } from '../program/program-error.ts'
import type { ProgramStep } from '../program/types.ts'
import { enumNumber } from '../records/record.ts'
import { activationFields } from './lower-windows.ts'
import type { Lowering } from './lowering.ts'
import { broadcastStrides, collapseBox, padFront, physicalDims } from './strides.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

export function lowerUnary(step: StepOf<'unary'>, to: Lowering): void {
  const input = to.place(step.input)
  to.add('unary', {
    input: input.addressBytes,
    output: to.place(step.output).addressBytes,
    count: input.elementCount,
    unary: enumNumber('unary', step.unary),
    alpha: step.alpha,
    beta: step.beta,
  })
}

export function lowerBinary(step: StepOf<'binary'>, to: Lowering): void {
  const [a, b, output] = [to.place(step.a), to.place(step.b), to.place(step.output)]
  const rank = output.dims.length
  const { dims, strides } = collapseBox({
    dims: output.dims,
    strides: [
      broadcastStrides(a.dims, a.layout, rank),
      broadcastStrides(b.dims, b.layout, rank),
      output.strides,
    ],
  })
  const mostDims = opRecords.binary.fields.dims.length
  if (dims.length > mostDims) {
    failProgram(to.path, `broadcasting over ${dims.length} dimensions, at most ${mostDims} are supported`)
  }
  to.add('binary', {
    a: a.addressBytes,
    b: b.addressBytes,
    output: output.addressBytes,
    binary: enumNumber('binary', step.binary),
    dims: padFront(dims, mostDims, 1),
    aStrides: padFront(strides[0] ?? [], mostDims, 0),
    bStrides: padFront(strides[1] ?? [], mostDims, 0),
    ...activationFields(step.activation),
  })
}

export function lowerSoftmax(step: StepOf<'softmax'>, to: Lowering): void {
  const input = to.place(step.input)
  const dims = physicalDims(input.dims, input.layout)
  const product = (list: readonly number[]) => list.reduce((count, dim) => count * dim, 1)
  to.add('softmax', {
    input: input.addressBytes,
    output: to.place(step.output).addressBytes,
    outerCount: product(dims.slice(0, step.axis)),
    axisCount: dims[step.axis] ?? 1,
    innerCount: product(dims.slice(step.axis + 1)),
    softmax: enumNumber('softmax', step.softmax),
  })
}
