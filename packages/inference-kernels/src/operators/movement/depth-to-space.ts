// SPDX-License-Identifier: Apache-2.0
import { int, oneOf } from '../attributes.ts'
import { mismatch } from '../fault.ts'
import { defineOperator, type OperandType } from '../operator.ts'
import { required, result, rowMajorStrides, showDims } from '../support.ts'
import { copyBox } from './copy-box.ts'

type Image = readonly [batch: number, channels: number, height: number, width: number]

function imageOf(x: OperandType, blockSize: number): Image {
  if (x.dims.length !== 4) mismatch(`${showDims(x.dims)} are not images`)
  if (blockSize < 1) mismatch(`blocks of size ${blockSize}`)
  return x.dims as unknown as Image
}

/** Channels become blocks of pixels: rows, columns and channels of a block lie in this order (DCR) or channels first (CRD). */
export const depthToSpace = defineOperator({
  name: 'DepthToSpace',
  inputCount: [1, 1],
  attributes: { blocksize: int(0), mode: oneOf(['DCR', 'CRD']) },
  infer({ inputs, attributes: { blocksize: block } }) {
    const x = required(inputs, 0)
    const [n, c, h, w] = imageOf(x, block)
    if (c % (block * block) !== 0) mismatch(`${c} channels do not make blocks of ${block} by ${block}`)
    return [result(x.dtype, [n, c / (block * block), h * block, w * block])]
  },
  run({ inputs, outputs, attributes: { blocksize: block, mode } }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    const [n, c, h, w] = imageOf(x, block)
    const depth = c / (block * block)
    // Both sides seen as [n, depth, row of the block, column of the block, h, w].
    const [channel, row, column] = mode === 'DCR' ? [1, depth * block, depth] : [block * block, block, 1]
    const image = h * w
    const [batch, plane, line] = rowMajorStrides(y.dims) as [number, number, number]
    copyBox(
      [n, depth, block, block, h, w],
      { data: x.data, start: 0, strides: [c * image, channel * image, row * image, column * image, w, 1] },
      { data: y.data, start: 0, strides: [batch, plane, line, 1, line * block, block] },
    )
  },
})

/** Blocks of pixels become channels: row of the block, column of the block, channel. */
export const spaceToDepth = defineOperator({
  name: 'SpaceToDepth',
  inputCount: [1, 1],
  attributes: { blocksize: int(0) },
  infer({ inputs, attributes: { blocksize: block } }) {
    const x = required(inputs, 0)
    const [n, c, h, w] = imageOf(x, block)
    if (h % block !== 0 || w % block !== 0)
      mismatch(`${showDims(x.dims)} do not divide into blocks of ${block}`)
    return [result(x.dtype, [n, c * block * block, h / block, w / block])]
  },
  run({ inputs, outputs, attributes: { blocksize: block } }) {
    const x = required(inputs, 0)
    const y = required(outputs, 0)
    const [n, c] = imageOf(x, block)
    const [, , h, w] = y.dims as unknown as Image
    const [batch, plane, line] = rowMajorStrides(x.dims) as [number, number, number]
    copyBox(
      [n, block, block, c, h, w],
      { data: x.data, start: 0, strides: [batch, line, 1, plane, line * block, block] },
      { data: y.data, start: 0, strides: rowMajorStrides([n, block, block, c, h, w]) },
    )
  },
})
