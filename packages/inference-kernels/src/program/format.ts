// SPDX-License-Identifier: Apache-2.0
import type { DType } from '@mlcapsule/contracts'
import { dtypes } from '@mlcapsule/contracts'
import type { Layout, Storage } from './types.ts'

// The numbers of the binary format, §values: an entry's place is its number, so nothing is ever moved or taken out.
export const layouts: readonly Layout[] = [
  'row-major',
  'nhwc',
  'panels16',
  'depthwise16',
  'quantizedPanels16',
]
export const storageKinds: readonly Storage['kind'][] = ['arena', 'weights', 'alias']

export function dtypeNumber(dtype: DType): number {
  return dtypes.indexOf(dtype)
}

/** In place of a dimension that the step which writes the value gives. */
export const unknownDimension = -(2 ** 31)

/** Size of the header and of one row of the value, step and state tables, in 32-bit words. */
export const headerWordCount = 16
export const valueWordCount = 16
export const stepWordCount = 2
export const stateWordCount = 2
/** 'MLCP', read as a little-endian word. */
export const programMagic = 0x50434c4d
export const programVersion = 1
