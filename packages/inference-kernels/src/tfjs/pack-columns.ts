// SPDX-License-Identifier: Apache-2.0
import { panelWidth } from '../abi.generated.ts'

/** A matrix [rowCount][columnCount] whose columns fall into groups. */
export interface ColumnGroups {
  readonly rowCount: number
  readonly columnCount: number
  readonly groupCount: number
}

/** Numbers that the packed matrix takes: each group is filled up to whole panels of 16 columns. */
export function packedCount({ rowCount, columnCount, groupCount }: ColumnGroups): number {
  return groupCount * Math.ceil(columnCount / groupCount / panelWidth) * panelWidth * rowCount
}

/** Packs the columns of each group into panels [rowCount][16], as the records of products and convolutions want them. */
export function packColumns(from: Float32Array, to: Float32Array, groups: ColumnGroups): void {
  const { rowCount, columnCount, groupCount } = groups
  const perGroup = columnCount / groupCount
  let at = 0
  for (let group = 0; group < groupCount; group++) {
    for (let first = 0; first < perGroup; first += panelWidth) {
      const count = Math.min(panelWidth, perGroup - first)
      for (let row = 0; row < rowCount; row++, at += panelWidth) {
        const start = row * columnCount + group * perGroup + first
        for (let c = 0; c < panelWidth; c++) to[at + c] = c < count ? (from[start + c] as number) : 0
      }
    }
  }
}
