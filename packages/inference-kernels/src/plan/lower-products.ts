// SPDX-License-Identifier: Apache-2.0
import type { ProgramStep } from '../program/types.ts'
import { activationFields, columnFields, weightsType } from './lower-windows.ts'
import type { Lowering } from './lowering.ts'
import { broadcastStrides, collapseBox, stridesOf } from './strides.ts'

type StepOf<Op extends ProgramStep['op']> = Extract<ProgramStep, { readonly op: Op }>

/** With few rows, weights take longer to come than to be computed with: the next piece should be on its way early. */
const fewRowCount = 16
const fewRowsPageCount = 5

export function lowerDense(step: StepOf<'dense'>, to: Lowering): void {
  const output = to.place(step.output)
  const [innerCount = 1, columnCount = 1] = to.dimsOf(step.weights)
  const rowCount = output.elementCount / columnCount
  const pageCount = rowCount <= fewRowCount ? fewRowsPageCount : undefined
  for (const piece of to.weightPieces(step.weights, columnCount, true, pageCount)) {
    to.add('dense', {
      input: to.place(step.input).addressBytes,
      weights: piece.addressBytes,
      ...columnFields(step, piece, to),
      output: output.addressBytes + 4 * piece.firstColumn,
      rowCount,
      innerCount,
      columnCount: piece.columnCount,
      outputGap: columnCount - piece.columnCount,
      ...activationFields(step.activation),
      weightsType: weightsType(step, to),
    })
  }
}

/** One record walks one batch dimension; further ones, after joining what can be joined, give a record for each index. */
export function lowerMatmul(step: StepOf<'matmul'>, to: Lowering): void {
  const [a, b, output] = [to.place(step.a), to.place(step.b), to.place(step.output)]
  const rowCount = output.dims.at(-2) ?? 1
  const columnCount = output.dims.at(-1) ?? 1
  const innerCount = a.dims.at(-1) ?? 1
  const batchDims = output.dims.slice(0, -2)
  const matrixStrides = (dims: readonly number[]) =>
    broadcastStrides(dims.slice(0, -2), 'row-major', batchDims.length)
  const scaled = (strides: readonly number[], by: number) => strides.map((stride) => stride * by)
  const box = collapseBox({
    dims: batchDims,
    strides: [
      scaled(matrixStrides(a.dims), rowCount * innerCount),
      scaled(matrixStrides(b.dims), innerCount * columnCount),
      scaled(stridesOf(batchDims, 'row-major'), rowCount * columnCount),
    ],
  })
  const [aStrides = [], bStrides = [], outputStrides = []] = box.strides
  const batchCount = box.dims.at(-1) ?? 1
  const aBatchStride = aStrides.at(-1) ?? 0
  const bBatchStride = bStrides.at(-1) ?? 0
  // One right-hand matrix for all: the rows of all left-hand ones follow one another.
  const isOneProduct = bBatchStride === 0 && aBatchStride === rowCount * innerCount

  const addAt = (aIndex: number, bIndex: number, outputIndex: number) =>
    to.add('matmul', {
      a: a.addressBytes + 4 * aIndex,
      b: b.addressBytes + 4 * bIndex,
      output: output.addressBytes + 4 * outputIndex,
      batchCount: isOneProduct ? 1 : batchCount,
      rowCount: isOneProduct ? rowCount * batchCount : rowCount,
      innerCount,
      columnCount,
      aBatchStride: isOneProduct ? 0 : aBatchStride,
      bBatchStride: isOneProduct ? 0 : bBatchStride,
    })

  const walk = (d: number, aIndex: number, bIndex: number, outputIndex: number): void => {
    if (d >= box.dims.length - 1) {
      addAt(aIndex, bIndex, outputIndex)
      return
    }
    for (let i = 0; i < (box.dims[d] as number); i++) {
      walk(
        d + 1,
        aIndex + i * (aStrides[d] as number),
        bIndex + i * (bStrides[d] as number),
        outputIndex + i * (outputStrides[d] as number),
      )
    }
  }
  walk(0, 0, 0, 0)
}
