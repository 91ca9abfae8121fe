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
  readonly startBytes: number
  readonly endBytes: number
}

function put(lists: (Placed[] | undefined)[], index: number, placed: Placed): void {
  const list = lists[index]
  if (list === undefined) lists[index] = [placed]
  else list.push(placed)
}

/** Placed blocks by the steps that they live through, so that those which live with another one are found without the rest. */
class Timeline {
  /** Each block once, where it begins. Lists are made where there is something to put in: most steps have none. */
  readonly #beginning: (Placed[] | undefined)[]
  /** A binary tree over the steps: each block in the few nodes that make up its life. */
  readonly #living: (Placed[] | undefined)[]
  readonly #leafCount: number

  constructor(stepCount: number) {
    this.#leafCount = 2 ** Math.ceil(Math.log2(Math.max(stepCount, 1)))
    this.#beginning = new Array(stepCount)
    this.#living = new Array(2 * this.#leafCount)
  }

  /** @param first,last steps counted from the first one of the timeline */
  add(placed: Placed, first: number, last: number): void {
    put(this.#beginning, first, placed)
    let from = first + this.#leafCount
    for (let to = last + 1 + this.#leafCount; from < to; from >>= 1, to >>= 1) {
      if (from & 1) put(this.#living, from++, placed)
      if (to & 1) put(this.#living, --to, placed)
    }
  }

  /** Blocks that live at some step of a range, by their start; null for more than are worth a search. */
  overlapping(first: number, last: number): readonly Placed[] | null {
    const found: Placed[] = []
    const take = (list: readonly Placed[] = []) => {
      for (let i = 0; i < list.length && found.length <= searchedBlockCount; i++)
        found.push(list[i] as Placed)
    }
    for (let node = first + this.#leafCount; node >= 1; node >>= 1) take(this.#living[node])
    for (let step = first + 1; step <= last && found.length <= searchedBlockCount; step++) {
      take(this.#beginning[step])
    }
    return found.length > searchedBlockCount ? null : found.sort((a, b) => a.startBytes - b.startBytes)
  }
}

/** Gaps are looked for among up to this many blocks, so that thousands that live at once take no time out of proportion. */
const searchedBlockCount = 1024

/** The tightest gap between blocks that live at the same time, or the end of them. */
function bestFit(sizeBytes: number, placed: readonly Placed[]): number {
  let best = -1
  let bestGap = Number.POSITIVE_INFINITY
  let end = 0
  for (const other of placed) {
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
  const origin = blocks.reduce((step, { firstStep }) => Math.min(step, firstStep), Number.POSITIVE_INFINITY)
  const end = blocks.reduce((step, { lastStep }) => Math.max(step, lastStep), origin)
  const timeline = new Timeline(blocks.length === 0 ? 0 : end - origin + 1)
  let arenaSizeBytes = 0
  const place = (block: ArenaBlock, startBytes: number) => {
    const endBytes = startBytes + alignUp(block.sizeBytes)
    arenaSizeBytes = Math.max(arenaSizeBytes, endBytes)
    const [first, last] = [Math.max(block.firstStep, origin), Math.min(block.lastStep, end)]
    if (first <= last) timeline.add({ startBytes, endBytes }, first - origin, last - origin)
  }
  for (const block of fixed) place(block, block.offsetBytes)
  for (const i of order) {
    const block = blocks[i] as ArenaBlock
    const others = timeline.overlapping(block.firstStep - origin, block.lastStep - origin)
    const startBytes = others === null ? arenaSizeBytes : bestFit(alignUp(block.sizeBytes), others)
    offsetsBytes[i] = startBytes
    place(block, startBytes)
  }
  return { offsetsBytes, sizeBytes: arenaSizeBytes }
}
