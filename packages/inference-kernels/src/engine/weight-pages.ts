// SPDX-License-Identifier: Apache-2.0
import type { SealedPages } from '@mlcapsule/contracts'

/** The weights in pages of equal size that can be opened in any order, again and again. */
export interface WeightPages {
  /** A multiple of 64. */
  readonly pageSizeBytes: number
  readonly pageCount: number
  /**
   * Opens a page. Nothing is written unless it is the authentic one.
   * @param target `pageSizeBytes`, part of the kernels' memory: do not keep it
   */
  openInto(page: number, target: Uint8Array): Promise<void>
  /**
   * For kernels that open pages themselves: calls `use` with what they need, and wipes the key in it afterward.
   * @returns what `use` returns; false where there is no file
   */
  withSealed?(use: (pages: SealedPages) => boolean): boolean
}
