// SPDX-License-Identifier: Apache-2.0
import { recordEnums } from '../abi.generated.ts'
import { apart, type Extent, extentOf, fits } from './extent.ts'
import { enumNumber } from './record.ts'

const sizesBytes: Readonly<Record<(typeof recordEnums.weightsType)[number], number>> = {
  f32: 4,
  f16: 2,
  i8: 1,
}

/** What a record says of weights that are floats. */
export const floatWeights = { weightsType: enumNumber('weightsType', 'f32'), weightScales: 0 }

/** Size of one element. @param type number of a member of `weightsType` */
export function weightSizeBytes(type: number): number {
  return sizesBytes[recordEnums.weightsType[type] ?? 'f32']
}

/** int8 weights have a scale for each column, which nothing else reads. */
export function scalesFit(
  { weightsType, weightScales }: { readonly weightsType: number; readonly weightScales: number },
  columnCount: number,
  output: Extent,
  memorySizeBytes: number,
): boolean {
  if (recordEnums.weightsType[weightsType] !== 'i8') return true
  const scales = extentOf(weightScales, columnCount, 4)
  return fits(scales, memorySizeBytes, 4) && apart(scales, output)
}
