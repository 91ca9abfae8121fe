// SPDX-License-Identifier: Apache-2.0
import type { BridgeError } from '../errors.ts'

/** What a transport carries: one control message (deterministic CBOR) and the byte strings that belong to it. */
export interface Frame {
  readonly control: Uint8Array
  readonly payloads: readonly Uint8Array[]
}

export interface SendOptions {
  /** Allows the transport to take the payloads' buffers away from the sender instead of copying them. */
  readonly transfer?: boolean
}

export interface ChannelListener {
  /**
   * Called once per frame, in order. The bytes are private to the receiver: nothing that the sender still holds can
   * change them. Nothing but their sizes has been checked.
   */
  onFrame(frame: Frame): void
  /** Called once, when no frame can come any more. `error` says why, if it was not `close()` on either side. */
  onClose(error: BridgeError | undefined): void
}

/** One end of a transport. */
export interface Channel {
  /** @throws BridgeError `BRIDGE_CLOSED`, `BRIDGE_LIMIT_EXCEEDED` */
  send(frame: Frame, options?: SendOptions): void
  /** Gives back payloads of a frame that nobody uses any more: a later frame may arrive in their memory. */
  reuse?(payloads: readonly Uint8Array[]): void
  /** Starts delivery. Called once. */
  listen(listener: ChannelListener): void
  /** Ends both directions. Calling it again does nothing. */
  close(): void
}
