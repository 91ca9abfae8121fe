// SPDX-License-Identifier: Apache-2.0
import { alignmentBytes } from '../abi.generated.ts'

/** A part of the memory. One of size 0 has no place. */
export interface Block {
  readonly addressBytes: number
  readonly sizeBytes: number
}

const wholeLines = (sizeBytes: number) => Math.floor(sizeBytes / alignmentBytes) * alignmentBytes

/**
 * Hands out blocks of one memory that may grow: the smallest free block that is large enough, else the end of the memory.
 * Addresses are multiples of 64 bytes.
 */
export class BlockHeap {
  /** In the order of their addresses; no two touch. */
  readonly #free: Block[] = []
  readonly #grow: (sizeBytes: number) => number
  #sizeBytes: number
  #usedSizeBytes = 0

  /** @param grow enlarges the memory to at least that size and says to which, or throws */
  constructor(sizeBytes: number, grow: (sizeBytes: number) => number) {
    this.#sizeBytes = wholeLines(sizeBytes)
    this.#grow = grow
    if (this.#sizeBytes > 0) this.#free.push({ addressBytes: 0, sizeBytes: this.#sizeBytes })
  }

  get usedSizeBytes(): number {
    return this.#usedSizeBytes
  }

  /** @throws RangeError for a size that is none, and what `grow` throws; the heap is then as it was */
  allocate(sizeBytes: number): Block {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
      throw new RangeError(`${sizeBytes} bytes are no size`)
    const wholeBytes = Math.ceil(sizeBytes / alignmentBytes) * alignmentBytes
    if (wholeBytes === 0) return { addressBytes: 0, sizeBytes: 0 }
    let at = this.#bestFit(wholeBytes)
    if (at < 0) {
      this.#extend(wholeBytes)
      at = this.#free.length - 1
    }
    const { addressBytes, sizeBytes: foundBytes } = this.#free[at] as Block
    const rest = { addressBytes: addressBytes + wholeBytes, sizeBytes: foundBytes - wholeBytes }
    this.#free.splice(at, 1, ...(rest.sizeBytes > 0 ? [rest] : []))
    this.#usedSizeBytes += wholeBytes
    return { addressBytes, sizeBytes: wholeBytes }
  }

  /** Takes back a block that `allocate` gave. What it holds stays there until it is written over. */
  free({ addressBytes, sizeBytes }: Block): void {
    if (sizeBytes === 0) return
    this.#usedSizeBytes -= sizeBytes
    this.#insert({ addressBytes, sizeBytes })
  }

  #bestFit(sizeBytes: number): number {
    let best = -1
    let bestBytes = Number.POSITIVE_INFINITY
    for (const [i, block] of this.#free.entries()) {
      if (block.sizeBytes >= sizeBytes && block.sizeBytes < bestBytes) {
        best = i
        bestBytes = block.sizeBytes
      }
    }
    return best
  }

  /** Enlarges the memory until its last free block has that size. */
  #extend(sizeBytes: number): void {
    const last = this.#free.at(-1)
    const isAtEnd = last !== undefined && last.addressBytes + last.sizeBytes === this.#sizeBytes
    const from = this.#sizeBytes
    this.#sizeBytes = wholeLines(this.#grow(from + sizeBytes - (isAtEnd ? last.sizeBytes : 0)))
    this.#insert({ addressBytes: from, sizeBytes: this.#sizeBytes - from })
  }

  #insert(block: Block): void {
    let low = 0
    let high = this.#free.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#free[middle] as Block).addressBytes < block.addressBytes) low = middle + 1
      else high = middle
    }
    let { addressBytes, sizeBytes } = block
    const before = this.#free[low - 1]
    const after = this.#free[low]
    const joinsBefore = before !== undefined && before.addressBytes + before.sizeBytes === addressBytes
    const joinsAfter = after !== undefined && addressBytes + sizeBytes === after.addressBytes
    if (joinsBefore) {
      addressBytes = before.addressBytes
      sizeBytes += before.sizeBytes
    }
    if (joinsAfter) sizeBytes += after.sizeBytes
    const first = joinsBefore ? low - 1 : low
    this.#free.splice(first, Number(joinsBefore) + Number(joinsAfter), { addressBytes, sizeBytes })
  }
}
