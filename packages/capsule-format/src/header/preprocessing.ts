// SPDX-License-Identifier: Apache-2.0
import { capsuleLimits } from '../limits.ts'
import { invalidField, readArray, readChoice, readInteger, readMap } from './fields.ts'
import type { ImagePreprocessing } from './types.ts'

const kinds: readonly ImagePreprocessing['kind'][] = ['image']
const layouts: readonly ImagePreprocessing['layout'][] = ['NCHW', 'NHWC']
const colorOrders: readonly ImagePreprocessing['colorOrder'][] = ['RGB', 'BGR', 'gray']

/** Value of core key 9. */
export function preprocessingToCbor(value: ImagePreprocessing | null): unknown {
  if (value === null) return null
  return new Map<number, unknown>([
    [1, kinds.indexOf(value.kind)],
    [2, layouts.indexOf(value.layout)],
    [3, colorOrders.indexOf(value.colorOrder)],
    [4, value.resizeShorterSide],
    [5, value.crop === null ? null : [value.crop.height, value.crop.width]],
    [6, value.scaleNano],
    [7, value.meanNano],
    [8, value.stdNano],
  ])
}

/** @throws CapsuleFormatError `CAPSULE_HEADER_INVALID` */
export function preprocessingFromCbor(value: unknown, field: string): ImagePreprocessing | null {
  if (value === null) return null
  const map = readMap(value, field, 8)
  const colorOrder = readChoice(map.get(3), `${field}.colorOrder`, colorOrders)
  const channelCount = colorOrder === 'gray' ? 1 : 3
  return {
    kind: readChoice(map.get(1), `${field}.kind`, kinds),
    layout: readChoice(map.get(2), `${field}.layout`, layouts),
    colorOrder,
    resizeShorterSide: map.get(4) === null ? null : readSide(map.get(4), `${field}.resizeShorterSide`),
    crop: readCrop(map.get(5), `${field}.crop`),
    scaleNano: readInteger(map.get(6), `${field}.scaleNano`, 1, capsuleLimits.nanoMax),
    meanNano: readNanos(map.get(7), `${field}.meanNano`, channelCount, -capsuleLimits.nanoMax),
    stdNano: readNanos(map.get(8), `${field}.stdNano`, channelCount, 1),
  }
}

function readSide(value: unknown, field: string): number {
  return readInteger(value, field, 1, capsuleLimits.imageSideMax)
}

function readCrop(value: unknown, field: string): ImagePreprocessing['crop'] {
  if (value === null) return null
  const [height, width] = readArray(value, field, 2, 2)
  return { height: readSide(height, `${field}.height`), width: readSide(width, `${field}.width`) }
}

function readNanos(value: unknown, field: string, count: number, min: number): readonly number[] {
  const items = readArray(value, field, 1, 3)
  if (items.length !== count) invalidField(field, `expected one value for each of ${count} channels`)
  return items.map((item, i) => readInteger(item, `${field}[${i}]`, min, capsuleLimits.nanoMax))
}
