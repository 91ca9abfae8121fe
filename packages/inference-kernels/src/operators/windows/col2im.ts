// SPDX-License-Identifier: Apache-2.0
import { ints } from '../attributes.ts'
import { badValue, mismatch, unsupported } from '../fault.ts'
import { defineOperator, type Operand, type OperandType } from '../operator.ts'
import { knownNumbers, product, requireDtype, required, result, showDims } from '../support.ts'
import { threeAxes, type WindowAxis, windowAxes } from './axes.ts'
import { addPatches } from './patches.ts'

interface Attributes {
  readonly dilations: readonly number[]
  readonly pads: readonly number[]
  readonly strides: readonly number[]
}

/** A short list of positive numbers; null while it is not known. */
function sizesOf(operand: OperandType, what: string): readonly number[] | null {
  requireDtype(operand.dtype, ['int64'])
  if (operand.dims.length !== 1) mismatch(`${what} has shape ${showDims(operand.dims)}`)
  const known = knownNumbers(operand)
  if (known?.some((size) => size < 1)) badValue(`an element of ${what} is not positive`)
  return known
}

function blockAxes(
  image: readonly number[],
  block: readonly number[],
  { dilations, pads, strides }: Attributes,
): readonly WindowAxis[] {
  return windowAxes(image, block, { auto_pad: 'NOTSET', kernel_shape: block, dilations, pads, strides })
}

/**
 * Adds blocks that lie in columns up to images. Inputs: columns [N, C * block, L], the spatial dims of the image, those of a
 * block.
 */
export const col2Im = defineOperator({
  name: 'Col2Im',
  inputCount: [3, 3],
  contents: [1, 2],
  attributes: { dilations: ints(), pads: ints(), strides: ints() },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const [imageShape, blockShape] = [required(inputs, 1), required(inputs, 2)]
    requireDtype(x.dtype, ['float32'])
    if (x.dims.length !== 3) mismatch(`columns have shape ${showDims(x.dims)}`)
    const image = sizesOf(imageShape, 'image_shape')
    const block = sizesOf(blockShape, 'block_shape')
    const rank = imageShape.dims[0] as number
    if (rank !== blockShape.dims[0] || rank < 1)
      mismatch(`${rank} dimensions of the image, other ones of a block`)
    if (rank > 3) unsupported(`${rank} spatial dimensions; supported are up to 3`)
    const [batch, rows, columns] = x.dims as [number, number, number]
    const channels = block === null ? null : rows / product(block)
    if (channels !== null && !Number.isInteger(channels))
      mismatch(`${rows} rows of blocks ${showDims(block ?? [])}`)
    if (image !== null && block !== null) {
      const count = product(blockAxes(image, block, attributes).map((axis) => axis.count))
      if (count !== columns) mismatch(`${columns} columns, expected ${count}`)
    }
    return [result('float32', [batch, channels, ...(image ?? new Array<null>(rank).fill(null))])]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const { data, dims } = outputs[0] as Operand
    const to = data as Float32Array
    if (to.length === 0) return
    const block = knownNumbers(inputs[2]) ?? []
    const axes = threeAxes(blockAxes(dims.slice(2), block, attributes))
    const taps = product(block)
    const columnCount = taps * (x.dims[2] as number)
    const image = new Float64Array(product(dims.slice(2)))
    for (let from = 0, at = 0; at < to.length; at += image.length, from += columnCount) {
      image.fill(0)
      addPatches((x.data as Float32Array).subarray(from, from + columnCount), axes, 0, taps, image)
      to.set(image, at)
    }
  },
})
