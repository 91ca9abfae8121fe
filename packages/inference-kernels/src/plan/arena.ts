// SPDX-License-Identifier: Apache-2.0
import { alignmentBytes } from '../abi.generated.ts'

/** A piece of memory that is needed from one step to another, both included. */
export interface ArenaBlock {
  readonly sizeBytes: number
  readonly firstStep: number
  readonly lastStep: number
}

export interface ArenaPlan {
  /** Offset of each block, aligned to 64 bytes. */
  readonly offsetsBytes: readonly number[]
  readonly sizeBytes: number
}

/** Rounded up to whole lines of 64 bytes. */
export function alignUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / alignmentBytes) * alignmentBytes
}

/** A block that has its place already. */
export interface PlacedBlock extends ArenaBlock {
  readonly offsetBytes: number
}

interface Placed {
  readonly block: ArenaBlock
  readonly startBytes: number
  readonly endBytes: number
}

/** The tightest gap between blocks that live at the same time, or the end of them. */
function bestFit(block: ArenaBlock, sizeBytes: number, placed: readonly Placed[]): number {
  let best = -1
  let bestGap = Number.POSITIVE_INFINITY
  let end = 0
  for (const other of placed) {
    if (other.block.lastStep < block.firstStep || other.block.firstStep > block.lastStep) continue
    const gap = other.startBytes - end
    if (gap >= sizeBytes && gap < bestGap) {
      best = end
      bestGap = gap
    }
    end = Math.max(end, other.endBytes)
  }
  return best >= 0 ? best : end
}

/**
 * Places blocks so that no two share a byte while both are needed. Largest first, each where it fits best; the order and
 * so the result depend on nothing but the blocks.
 * @param fixed blocks that stay where they are
 */
export function planArena(blocks: readonly ArenaBlock[], fixed: readonly PlacedBlock[] = []): ArenaPlan {
  const order = blocks.map((_, i) => i)
  const size = (i: number) => (blocks[i] as ArenaBlock).sizeBytes
  order.sort((a, b) => size(b) - size(a) || a - b)
  const offsetsBytes = new Array<number>(blocks.length).fill(0)
  const placed = fixed // by start
    .map((block): Placed => {
      const startBytes = block.offsetBytes
      return { block, startBytes, endBytes: startBytes + alignUp(block.sizeBytes) }
    })
    .sort((a, b) => a.startBytes - b.startBytes)
  let arenaSizeBytes = placed.reduce((size, { endBytes }) => Math.max(size, endBytes), 0)
  for (const i of order) {
    const block = blocks[i] as ArenaBlock
    const sizeBytes = alignUp(block.sizeBytes)
    const startBytes = bestFit(block, sizeBytes, placed)
    const endBytes = startBytes + sizeBytes
    offsetsBytes[i] = startBytes
    arenaSizeBytes = Math.max(arenaSizeBytes, endBytes)
    let at = placed.length
    while (at > 0 && (placed[at - 1] as Placed).startBytes > startBytes) at--
    placed.splice(at, 0, { block, startBytes, endBytes })
  }
  return { offsetsBytes, sizeBytes: arenaSizeBytes }
}
