// SPDX-License-Identifier: Apache-2.0
import { float16Value } from '@mlcapsule/contracts'
import { panelWidth, recordEnums } from '../abi.generated.ts'
import { toFloat16Bits } from '../operators/elements/float16.ts'
import { packedColumns } from '../records/extent.ts'
import { floatWeights } from '../records/weights.ts'
import type { ProblemMemory } from './problem.ts'
import type { SeededRandom } from './random.ts'

interface WeightsFields {
  readonly weights: number
  readonly weightsType: number
  readonly weightScales: number
}

/** Random panels of a random type, and the same weights once more as floats: what rounding errors are measured by. */
export function placeRandomWeights(
  place: ProblemMemory,
  random: SeededRandom,
  { groups, columnCount, innerCount }: Record<'groups' | 'columnCount' | 'innerCount', number>,
): { readonly fields: WeightsFields; readonly widened: WeightsFields } {
  const count = groups * packedColumns(columnCount) * innerCount
  const weightsType = random.int(0, recordEnums.weightsType.length - 1)
  const numbers = random.floats(count)
  const scales = random.floats(groups * columnCount, 0.001, 0.01)
  const type = recordEnums.weightsType[weightsType]
  if (type === 'f32') {
    const fields = { ...floatWeights, weights: place.floats(numbers, 64) }
    return { fields, widened: fields }
  }
  if (type === 'f16') {
    const halves = Uint16Array.from(numbers, toFloat16Bits)
    const weights = place.place(new Uint8Array(halves.buffer), 64)
    const widened = place.floats(Float32Array.from(halves, float16Value), 64)
    return {
      fields: { weights, weightsType, weightScales: 0 },
      widened: { ...floatWeights, weights: widened },
    }
  }
  const bytes = Int8Array.from(numbers, (it) => Math.round(it * 127))
  const panelsPerGroup = packedColumns(columnCount) / panelWidth
  const scaled = Float32Array.from(bytes, (byte, i) => {
    const panel = Math.floor(i / panelWidth / innerCount)
    const column = (panel % panelsPerGroup) * panelWidth + (i % panelWidth)
    return column < columnCount
      ? byte * (scales[Math.floor(panel / panelsPerGroup) * columnCount + column] as number)
      : 0
  })
  const weights = place.place(new Uint8Array(bytes.buffer), 64)
  const weightScales = place.floats(scales)
  const widened = place.floats(scaled, 64)
  return { fields: { weights, weightsType, weightScales }, widened: { ...floatWeights, weights: widened } }
}
