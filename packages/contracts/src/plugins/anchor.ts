// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from './plugin.ts'

/**
 * A 32-byte digest that outlives the enclave and that the host cannot set back: `extend(h)` makes it
 * SHA-256(value ‖ h). A digest and not a counter, since a counter's value does not say which of two records it means.
 * @see spec/ledger.md
 */
export interface Anchor extends Plugin {
  readonly kind: 'anchor'
  /** What the license binds, so that another anchor cannot take this one's place. At most 1 KiB. */
  readonly descriptor: Uint8Array
  read(): Promise<Uint8Array>
  /** Resolves only after the step is durable. An error leaves the outcome unknown: the caller stops. */
  extend(digest: Uint8Array): Promise<void>
}
