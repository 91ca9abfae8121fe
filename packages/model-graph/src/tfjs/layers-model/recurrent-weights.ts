// SPDX-License-Identifier: Apache-2.0
import { assembledConstant, type ConstantTensor, readWhole } from '../../graph/constant.ts'

/**
 * Weights [K, gates × units] as ONNX has them, [1, gates × units, K], with the gates in another order.
 * @param order which gate of the given weights comes first, second, …
 */
export function gateRows(weights: ConstantTensor, order: readonly number[]): ConstantTensor {
  const [inner, width] = weights.dims as [number, number]
  const units = width / order.length
  return assembledConstant('float32', [1, width, inner], async () => {
    const from = (await readWhole(weights)) as Float32Array
    const to = new Float32Array(from.length)
    for (let row = 0; row < width; row++) {
      const column = (order[Math.floor(row / units)] as number) * units + (row % units)
      for (let k = 0; k < inner; k++) to[row * inner + k] = from[k * width + column] as number
    }
    return to
  })
}

/**
 * Biases of the input and of the state, [1, 2 × gates × units].
 * @param biases [gates × units] of the input, or [2, gates × units] of both
 */
export function gateBiases(biases: ConstantTensor, order: readonly number[]): ConstantTensor {
  const width = biases.dims.at(-1) as number
  const units = width / order.length
  return assembledConstant('float32', [1, 2 * width], async () => {
    const from = (await readWhole(biases)) as Float32Array
    const to = new Float32Array(2 * width)
    for (let i = 0; i < from.length; i++) {
      const [half, at] = [Math.floor(i / width), i % width]
      const source = (order[Math.floor(at / units)] as number) * units + (at % units)
      to[i] = from[half * width + source] as number
    }
    return to
  })
}
