// SPDX-License-Identifier: Apache-2.0
import type { BlobName } from '../../src/index.ts'

/** What a step must give: `ok`, or the code of its error. A step after a failed `open` is left out. */
export interface Expected {
  readonly open: string
  /** `verifyTree`, which needs no key. */
  readonly tree?: string
  /** Derivation and commitment. */
  readonly key?: string
  /** All pages of the program, then all of the weights, until one fails. */
  readonly pages?: string
  readonly failsAt?: { readonly blob: BlobName; readonly index: number }
  /** SHA-256 over the plaintext of the pages that opened, in order, and its size. Nothing else may be released. */
  readonly released?: { readonly sha256: string; readonly sizeBytes: number }
  /** Reading the opened program blob. */
  readonly program?: string
}

export interface Scenario {
  readonly name: string
  /** Why it is right or wrong, in a sentence. */
  readonly reason: string
  /** Section of spec/capsule-format.md. */
  readonly clause: string
  readonly bytes: Uint8Array
  /** Trusted keys, if others than the publisher of the bases. */
  readonly publishers?: readonly Uint8Array[]
  /** If another than the content key of the bases. */
  readonly contentKey?: Uint8Array
  readonly expected: Expected
}

/** A scenario that does not come past `open`. */
export function refusedAtOpen(
  name: string,
  clause: string,
  code: string,
  reason: string,
  bytes: Uint8Array,
): Scenario {
  return { name, clause, reason, bytes, expected: { open: code } }
}
