// SPDX-License-Identifier: Apache-2.0
import { classDimension, elementCount, type Tensor } from '@mlcapsule/contracts'
import { DefenseError } from './errors.ts'

/**
 * Applies a function to each row of class scores.
 * @param outputs float32 tensors of shape [..., classCount], where trailing dimensions of size 1 may follow
 *   (`classDimension` of contracts); a tensor of another dtype is refused
 * @param change gets a copy of one row, `classCount` elements, and writes the new scores into it
 * @throws DefenseError `DEFENSE_OUTPUT_UNSUPPORTED`
 */
export function mapClassRows(outputs: readonly Tensor[], change: (row: Float32Array) => void): Tensor[] {
  return outputs.map((output, index) => {
    if (!(output.data instanceof Float32Array)) {
      throw new DefenseError(
        'DEFENSE_OUTPUT_UNSUPPORTED',
        `output ${index} is ${output.dtype}, float32 is needed`,
        {
          field: `outputs[${index}]`,
        },
      )
    }
    const classCount = output.shape[classDimension(output.shape)] ?? 1
    const data = output.data.slice()
    const rowCount = classCount === 0 ? 0 : elementCount(output.shape) / classCount
    for (let row = 0; row < rowCount; row++) change(data.subarray(row * classCount, (row + 1) * classCount))
    return { dtype: output.dtype, shape: output.shape, data }
  })
}

/** Index of the largest score; the first of equals. NaN never wins. -1 for a row without a comparable score. */
export function argmax(row: Float32Array): number {
  let best = -1
  let bestScore = Number.NEGATIVE_INFINITY
  for (let index = 0; index < row.length; index++) {
    const score = row[index] as number
    if (score > bestScore || (best === -1 && score === bestScore)) {
      best = index
      bestScore = score
    }
  }
  return best
}
