// SPDX-License-Identifier: Apache-2.0
import type { WeightStream } from '@mlcapsule/contracts'
import type { PageRing } from './weight-places.ts'

/**
 * Lays out, record by record, which pages of the weights have to be where in the ring, and when. A stretch of weights lies in
 * pages that follow one another there; where it would run over the ring's end, it begins anew at the ring's start, and the
 * page that it begins in is opened once more.
 */
export class FetchPlan {
  readonly #ring: PageRing
  readonly #pages: number[] = []
  readonly #addresses: number[] = []
  readonly #freedBy: number[] = []
  readonly #neededBy: number[] = []
  /** For each page of the ring: records that have to be done before it may be written anew. */
  readonly #lastUse: number[]
  /** Pages that lie in a row, from `start` up to `end`, at `slot` of the ring. */
  #start = 0
  #end = 0
  #slot = 0

  constructor(ring: PageRing) {
    this.#ring = ring
    this.#lastUse = new Array<number>(ring.pageCount).fill(0)
  }

  /** Pages that one stretch may touch: as many again are on their way meanwhile. */
  get stretchPageCount(): number {
    return Math.floor(this.#ring.pageCount / 2)
  }

  get pageSizeBytes(): number {
    return this.#ring.pageSizeBytes
  }

  /**
   * Makes sure that a stretch of weights is in the ring when a record runs. Records come in order.
   * @returns its address
   */
  place(offsetBytes: number, sizeBytes: number, recordIndex: number): number {
    const { pageSizeBytes, pageCount, baseBytes } = this.#ring
    const first = Math.floor(offsetBytes / pageSizeBytes)
    const end = Math.floor((offsetBytes + sizeBytes - 1) / pageSizeBytes) + 1
    const isNext = first >= this.#start && first <= this.#end
    if (!isNext || this.#slot + (end - this.#start) > pageCount) {
      const after = this.#slot + (this.#end - this.#start)
      this.#slot = after + (end - first) > pageCount ? 0 : after
      this.#start = first
      this.#end = first
    }
    for (; this.#end < end; this.#end++) {
      const slot = this.#slot + (this.#end - this.#start)
      this.#pages.push(this.#end)
      this.#addresses.push(baseBytes + slot * pageSizeBytes)
      this.#freedBy.push(this.#lastUse[slot] as number)
    }
    for (let page = first; page < end; page++)
      this.#lastUse[this.#slot + page - this.#start] = recordIndex + 1
    this.#fillUpTo(recordIndex)
    this.#neededBy.push(this.#pages.length)
    return baseBytes + (this.#slot + first - this.#start) * pageSizeBytes + (offsetBytes % pageSizeBytes)
  }

  /** @returns null where nothing is fetched */
  finish(recordCount: number): WeightStream | null {
    if (this.#pages.length === 0) return null
    this.#fillUpTo(recordCount)
    return {
      pages: Uint32Array.from(this.#pages),
      addressesBytes: Uint32Array.from(this.#addresses),
      freedBy: Uint32Array.from(this.#freedBy),
      neededBy: Uint32Array.from(this.#neededBy),
    }
  }

  /** Records between those that take weights from the ring wait for no more than the one before them. */
  #fillUpTo(recordIndex: number): void {
    const before = this.#neededBy.at(-1) ?? 0
    while (this.#neededBy.length < recordIndex) this.#neededBy.push(before)
  }
}
