// SPDX-License-Identifier: Apache-2.0
import { type DType, elementSizeBytes } from '@mlcapsule/contracts'
import { panelWidth } from '../abi.generated.ts'
import { quantizedSizeBytes } from './quantized-panels.ts'
import type { Layout } from './types.ts'

/** What elements of `panels16` may be. */
export const weightsDtypes = ['float32', 'float16', 'int8'] as const satisfies readonly DType[]

/** A weights tensor as the packed layouts see it: `groupCount` matrices [innerCount][columnCount], packed one by one. */
interface PackedShape {
  readonly groupCount: number
  readonly innerCount: number
  readonly columnCount: number
}

const product = (dims: readonly number[]) => dims.reduce((count, dim) => count * dim, 1)

function packedShape(
  layout: 'panels16' | 'depthwise16',
  dims: readonly number[],
  groups: number,
): PackedShape {
  const [first = 1, ...rest] = dims
  if (layout === 'depthwise16') return { groupCount: 1, innerCount: product(rest), columnCount: first }
  if (dims.length === 2) return { groupCount: 1, innerCount: first, columnCount: rest[0] ?? 1 }
  return { groupCount: groups, innerCount: product(rest), columnCount: first / groups }
}

/** Panels of 16 columns that the packed weights consist of, all groups together. */
export function panelCount(layout: 'panels16' | 'depthwise16', dims: readonly number[], groups = 1): number {
  const shape = packedShape(layout, dims, groups)
  return shape.groupCount * Math.ceil(shape.columnCount / panelWidth)
}

/** Size of one panel in bytes: 16 columns, the last ones of a group possibly zero. */
export function panelSizeBytes(
  layout: 'panels16' | 'depthwise16',
  dims: readonly number[],
  groups = 1,
  dtype: DType = 'float32',
): number {
  return packedShape(layout, dims, groups).innerCount * panelWidth * elementSizeBytes(dtype)
}

/**
 * Size of a value's bytes.
 * @param dims logical: [K, N] or [outC, inC/groups, kH, kW] for `panels16`, [C, 1, kH, kW] for `depthwise16`
 */
export function packedSizeBytes(
  layout: Layout,
  dims: readonly number[],
  groups = 1,
  dtype: DType = 'float32',
): number {
  if (layout === 'row-major' || layout === 'nhwc') return product(dims) * elementSizeBytes(dtype)
  if (layout === 'quantizedPanels16') return quantizedSizeBytes(dims, groups)
  return panelCount(layout, dims, groups) * panelSizeBytes(layout, dims, groups, dtype)
}

/**
 * Packs one panel from rows that each hold all weights of one column: a slab of up to 16 output channels of
 * [outC, inC/groups, kH, kW] or of up to 16 rows of a transposed dense matrix [N, K] (with `tapCount` 1).
 * @param rows [columnCount][channelCount][tapCount] floats from `rowsOffset` on
 * @param columnCount 1 to 16; the columns past it become zero
 * @param panel [tapCount * channelCount][16] floats from `panelOffset` on
 */
export function packPanelFromRows(
  rows: Float32Array,
  rowsOffset: number,
  columnCount: number,
  channelCount: number,
  tapCount: number,
  panel: Float32Array,
  panelOffset: number,
): void {
  const innerCount = channelCount * tapCount
  if (columnCount < panelWidth) panel.fill(0, panelOffset, panelOffset + innerCount * panelWidth)
  for (let column = 0; column < columnCount; column++) {
    let from = rowsOffset + column * innerCount
    for (let channel = 0; channel < channelCount; channel++) {
      for (let tap = 0; tap < tapCount; tap++) {
        panel[panelOffset + (tap * channelCount + channel) * panelWidth + column] = rows[from++] as number
      }
    }
  }
}

/**
 * Packs one panel from a row-major matrix slab [innerCount][slabColumnCount], e.g. a dense matrix [K, N].
 * @param firstColumn of the panel within the slab
 */
export function packPanelFromColumns(
  slab: Float32Array,
  slabColumnCount: number,
  firstColumn: number,
  innerCount: number,
  panel: Float32Array,
  panelOffset: number,
): void {
  const columnCount = Math.min(panelWidth, slabColumnCount - firstColumn)
  for (let k = 0; k < innerCount; k++) {
    const from = k * slabColumnCount + firstColumn
    const to = panelOffset + k * panelWidth
    for (let column = 0; column < panelWidth; column++) {
      panel[to + column] = column < columnCount ? (slab[from + column] as number) : 0
    }
  }
}

/** Packs whole weights [K, N] or [outC, inC/groups, kH, kW] into `panels16`. */
export function packPanels16(weights: Float32Array, dims: readonly number[], groups = 1): Float32Array {
  const { groupCount, innerCount, columnCount } = packedShape('panels16', dims, groups)
  const packed = new Float32Array(packedSizeBytes('panels16', dims, groups) / 4)
  let at = 0
  for (let group = 0; group < groupCount; group++) {
    for (let first = 0; first < columnCount; first += panelWidth, at += innerCount * panelWidth) {
      if (dims.length === 2) {
        packPanelFromColumns(weights, columnCount, first, innerCount, packed, at)
      } else {
        const channelCount = dims[1] ?? 1
        const count = Math.min(panelWidth, columnCount - first)
        const from = (group * columnCount + first) * innerCount
        packPanelFromRows(weights, from, count, channelCount, innerCount / channelCount, packed, at)
      }
    }
  }
  return packed
}

/** Packs whole weights [C, 1, kH, kW] into `depthwise16`. */
export function packDepthwise16(weights: Float32Array, dims: readonly number[]): Float32Array {
  const { innerCount, columnCount } = packedShape('depthwise16', dims, 1)
  const packed = new Float32Array(packedSizeBytes('depthwise16', dims) / 4)
  for (let first = 0; first < columnCount; first += panelWidth) {
    const count = Math.min(panelWidth, columnCount - first)
    packPanelFromRows(weights, first * innerCount, count, 1, innerCount, packed, first * innerCount)
  }
  return packed
}
