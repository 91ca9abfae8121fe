// SPDX-License-Identifier: Apache-2.0
import { float16Value } from '@mlcapsule/contracts'
import { recordEnums } from '../abi.generated.ts'

/** Gives the number that an element of the weights stands for: `index` within them, `column` of the output. */
export type WeightReader = (index: number, column: number) => number

/** @param memory all of it, from address 0 */
export function weightReader(
  r: { readonly weights: number; readonly weightsType: number; readonly weightScales: number },
  memory: Float32Array,
): WeightReader {
  const { buffer, byteOffset } = memory
  switch (recordEnums.weightsType[r.weightsType]) {
    case 'f16': {
      const halves = new Uint16Array(buffer, byteOffset + r.weights)
      return (index) => float16Value(halves[index] as number)
    }
    case 'i8': {
      const bytes = new Int8Array(buffer, byteOffset + r.weights)
      const scales = r.weightScales / 4
      return (index, column) => Math.fround((bytes[index] as number) * (memory[scales + column] as number))
    }
    default: {
      const floats = r.weights / 4
      return (index) => memory[floats + index] as number
    }
  }
}
