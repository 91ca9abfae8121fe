// SPDX-License-Identifier: Apache-2.0
import { panelWidth } from '../abi.generated.ts'

/** What one column of quantized weights means, beside its weights. */
export interface QuantizedColumn {
  /** int32, with what the input's zero point adds. */
  readonly bias: number
  readonly multiplier: number
}

const headerSizeBytes = 2 * 4 * panelWidth

/** Size of one panel: biases, multipliers, then four bytes for each column of each tap and four channels. */
export function quantizedPanelSizeBytes(channelCount: number, tapCount: number): number {
  return headerSizeBytes + Math.ceil(channelCount / 4) * tapCount * 4 * panelWidth
}

/** @param dims [K, N] or [outC, inC/groups, kH, kW] */
export function quantizedSizeBytes(dims: readonly number[], groups: number): number {
  const [first = 1, second = 1, ...kernel] = dims
  if (dims.length === 2) return Math.ceil(second / panelWidth) * quantizedPanelSizeBytes(first, 1)
  const tapCount = kernel.reduce((count, dim) => count * dim, 1)
  return groups * Math.ceil(first / groups / panelWidth) * quantizedPanelSizeBytes(second, tapCount)
}

/**
 * Packs one panel of `quantizedPanels16` from rows that each hold all weights of one column.
 * @param rows [columns.length][channelCount][tapCount]
 * @param columns 1 to 16 of them; what is past them becomes zero
 */
export function packQuantizedPanel(
  rows: ArrayLike<number>,
  columns: readonly QuantizedColumn[],
  channelCount: number,
  tapCount: number,
): Uint8Array {
  const panel = new Uint8Array(quantizedPanelSizeBytes(channelCount, tapCount))
  const view = new DataView(panel.buffer)
  const fours = Math.ceil(channelCount / 4)
  let from = 0
  for (const [n, { bias, multiplier }] of columns.entries()) {
    view.setInt32(4 * n, bias, true)
    view.setFloat32(4 * (panelWidth + n), multiplier, true)
    for (let channel = 0; channel < channelCount; channel++) {
      const at = headerSizeBytes + (channel >> 2) * 4 * panelWidth + 4 * n + (channel & 3)
      for (let tap = 0; tap < tapCount; tap++) {
        panel[at + tap * fours * 4 * panelWidth] = rows[from++] as number
      }
    }
  }
  return panel
}
