// SPDX-License-Identifier: Apache-2.0
import { int } from '../attributes.ts'
import { defineOperator, type Operand } from '../operator.ts'
import { multiply } from '../products/multiply.ts'
import { requireDtype, required, requireSameDtype, result } from '../support.ts'
import { windowAttributes } from './axes.ts'
import { convolutionOf, eachBlock, requireBias } from './convolution.ts'
import { tapCount, windowCount } from './patches.ts'

/** Convolution over one, two or three spatial dimensions. Inputs: x [N, C, ...], weights [O, C / group, ...], bias [O]. */
export const conv = defineOperator({
  name: 'Conv',
  inputCount: [2, 3],
  attributes: { ...windowAttributes, group: int(1) },
  infer({ inputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    const bias = inputs[2] ?? null
    for (const it of [x, weights, bias]) if (it !== null) requireDtype(it.dtype, ['float32'])
    requireSameDtype(x.dtype, weights.dtype)
    requireBias(bias, weights.dims[0] as number)
    return [result('float32', convolutionOf(x.dims, weights.dims, attributes).dims)]
  },
  run({ inputs, outputs, attributes }) {
    const x = required(inputs, 0)
    const weights = required(inputs, 1)
    const bias = (inputs[2] ?? null)?.data as Float32Array | undefined
    const out = (outputs[0] as Operand).data as Float32Array
    const convolution = convolutionOf(x.dims, weights.dims, attributes)
    const { axes, groups, inputChannels, outputChannels } = convolution
    const windows = windowCount(axes)
    const innerCount = inputChannels * tapCount(axes)
    if (out.length === 0) return
    spreadBias(out, bias, groups * outputChannels, windows)
    eachBlock(convolution, x.data as Float32Array, ({ image, group, first, count, data, at, row }) => {
      const filters = group * outputChannels
      multiply(
        { data: weights.data as Float32Array, at: filters * innerCount, row: innerCount, column: 1 },
        { data, at, row, column: 1 },
        {
          data: out,
          at: (image * groups * outputChannels + filters) * windows + first,
          row: windows,
        },
        [outputChannels, innerCount, count],
        { isAdded: bias !== undefined },
      )
    })
  },
})

/** Fills each channel of [N, C, ...] with its bias. */
function spreadBias(
  out: Float32Array,
  bias: Float32Array | undefined,
  channelCount: number,
  positionCount: number,
): void {
  if (bias === undefined) return
  for (let at = 0, c = 0; at < out.length; at += positionCount, c = (c + 1) % channelCount) {
    out.fill(bias[c] as number, at, at + positionCount)
  }
}
