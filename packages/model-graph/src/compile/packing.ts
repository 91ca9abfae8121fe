// SPDX-License-Identifier: Apache-2.0
import { elementCount, releaseMemory } from '@mlcapsule/contracts'
import { packPanelFromRows } from '@mlcapsule/inference-kernels/program'
import { ModelError } from '../errors.ts'
import { type ConstantTensor, permuteElements, readWhole } from '../graph/constant.ts'
import { modelLimits } from '../limits.ts'

/** Panels of 16 output columns, as `abi/ops.json` of the kernels lays down. */
export const panelWidth = 16

const pieceElementCount = 256 * 1024
const slabElementCount = 4 * 1024 * 1024

/**
 * Float32 pieces of packed weights, in order, each in memory of its own. None is larger than a slab of 16 MiB, but for one
 * panel that is, of up to `modelLimits.wholeConstantSizeBytes`, and for what has to be rearranged whole.
 */
export type Pieces = AsyncIterable<Float32Array>

export function panelCount(columnCount: number): number {
  return Math.ceil(columnCount / panelWidth)
}

function panelElements(innerCount: number): number {
  const count = innerCount * panelWidth
  if (count * 4 > modelLimits.wholeConstantSizeBytes) {
    throw new ModelError('MODEL_TOO_LARGE', `a panel of weights needs ${count * 4} bytes`)
  }
  return count
}

/** Elements as they are, in row-major order. */
export async function* packPlain(constant: ConstantTensor): Pieces {
  const count = elementCount(constant.dims)
  for (let start = 0; start < count; start += pieceElementCount) {
    yield (await constant.read(start, Math.min(pieceElementCount, count - start))) as Float32Array
  }
}

/** A rank-4 constant with its second dimension last. */
export async function* packChannelsLast(constant: ConstantTensor): Pieces {
  if (constant.splat !== null) yield* packPlain(constant)
  else {
    const data = await readWhole(constant)
    yield permuteElements(data, constant.dtype, constant.dims, [0, 2, 3, 1]) as Float32Array
  }
}

/** Panels of a tensor with equal elements, of which nothing needs to be read. */
function* splatPanels(value: number, innerCount: number, columnCount: number): Iterable<Float32Array> {
  const rowsPerPiece = pieceElementCount / panelWidth
  for (let first = 0; first < columnCount; first += panelWidth) {
    const filled = Math.min(panelWidth, columnCount - first)
    for (let row = 0; row < innerCount; row += rowsPerPiece) {
      const rowCount = Math.min(rowsPerPiece, innerCount - row)
      const piece = new Float32Array(rowCount * panelWidth)
      if (filled === panelWidth) piece.fill(value)
      else for (let i = 0; i < rowCount; i++) piece.fill(value, i * panelWidth, i * panelWidth + filled)
      yield piece
    }
  }
}

/** Weights [N][K] in rows: each panel takes 16 rows, a block of their elements at a time. */
async function* panelsOfRows(rows: ConstantTensor): Pieces {
  const [columnCount, innerCount] = rows.dims as [number, number]
  for (let first = 0; first < columnCount; first += panelWidth) {
    const filled = Math.min(panelWidth, columnCount - first)
    for (let start = 0; start < innerCount; start += pieceElementCount) {
      const count = Math.min(pieceElementCount, innerCount - start)
      const piece = new Float32Array(count * panelWidth)
      if (count === innerCount) {
        // Rows that are taken whole lie side by side: one read gets all of them.
        const block = (await rows.read(first * innerCount, filled * innerCount)) as Float32Array
        packPanelFromRows(block, 0, filled, innerCount, 1, piece, 0)
        releaseMemory(block)
      } else {
        for (let column = 0; column < filled; column++) {
          const row = (await rows.read((first + column) * innerCount + start, count)) as Float32Array
          for (let i = 0; i < count; i++) piece[i * panelWidth + column] = row[i] as number
          releaseMemory(row)
        }
      }
      yield piece
    }
  }
}

/** Weights [K][N]: as many panels at a time as fit a slab, filled in one walk over the rows. */
async function* panelsOfColumns(weights: ConstantTensor): Pieces {
  const [innerCount, columnCount] = weights.dims as [number, number]
  const panelSize = panelElements(innerCount)
  const panelsPerSlab = Math.max(1, Math.floor(slabElementCount / panelSize))
  for (let firstPanel = 0; firstPanel < panelCount(columnCount); firstPanel += panelsPerSlab) {
    const firstColumn = firstPanel * panelWidth
    const slabColumns = Math.min(columnCount - firstColumn, panelsPerSlab * panelWidth)
    const slab = new Float32Array(panelCount(slabColumns) * panelSize)
    const put = (row: number, values: Float32Array, from: number) => {
      for (let column = 0; column < slabColumns; column++) {
        const panel = Math.floor(column / panelWidth)
        slab[panel * panelSize + row * panelWidth + (column % panelWidth)] = values[from + column] as number
      }
    }
    if (columnCount > pieceElementCount) {
      for (let row = 0; row < innerCount; row++) {
        const values = (await weights.read(row * columnCount + firstColumn, slabColumns)) as Float32Array
        put(row, values, 0)
        releaseMemory(values)
      }
    } else {
      const rowsPerRead = Math.max(1, Math.floor(pieceElementCount / columnCount))
      for (let row = 0; row < innerCount; row += rowsPerRead) {
        const rowCount = Math.min(rowsPerRead, innerCount - row)
        const values = (await weights.read(row * columnCount, rowCount * columnCount)) as Float32Array
        for (let i = 0; i < rowCount; i++) put(row + i, values, i * columnCount + firstColumn)
        releaseMemory(values)
      }
    }
    yield slab
  }
}

/** Weights [K, N] of a dense layer → panels [ceil(N/16)][K][16]. */
export async function* packDense(weights: ConstantTensor): Pieces {
  const [innerCount, columnCount] = weights.dims as [number, number]
  if (typeof weights.splat === 'number') yield* splatPanels(weights.splat, innerCount, columnCount)
  else if (weights.transposeOf !== null) yield* panelsOfRows(weights.transposeOf)
  else yield* panelsOfColumns(weights)
}

/** Filters [O, I/groups, kH, kW] → for each group panels [ceil(O/groups/16)][kH * kW * I/groups][16]. */
export async function* packConvolution(weights: ConstantTensor, groups: number): Pieces {
  const [outChannels, inChannels, height, width] = weights.dims as [number, number, number, number]
  const tapCount = height * width
  const innerCount = tapCount * inChannels
  const groupColumns = outChannels / groups
  for (let group = 0; group < groups; group++) {
    if (typeof weights.splat === 'number') {
      yield* splatPanels(weights.splat, innerCount, groupColumns)
      continue
    }
    for (let first = 0; first < groupColumns; first += panelWidth) {
      const filled = Math.min(panelWidth, groupColumns - first)
      const panel = new Float32Array(panelElements(innerCount))
      const filter = group * groupColumns + first
      const rows = (await weights.read(filter * innerCount, filled * innerCount)) as Float32Array
      packPanelFromRows(rows, 0, filled, inChannels, tapCount, panel, 0)
      releaseMemory(rows)
      yield panel
    }
  }
}

/** Filters [C, 1, kH, kW] → [ceil(C/16)][kH * kW][16]: one filter per channel is a matrix of C rows. */
export async function* packDepthwise(weights: ConstantTensor): Pieces {
  const [channels, , height, width] = weights.dims as [number, number, number, number]
  if (typeof weights.splat === 'number') yield* splatPanels(weights.splat, height * width, channels)
  else
    yield* panelsOfRows({ ...weights, dims: [channels, height * width], read: (a, b) => weights.read(a, b) })
}
