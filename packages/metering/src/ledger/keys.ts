// SPDX-License-Identifier: Apache-2.0
import { hkdfExtract, labeledHash, type Secret } from '@mlcapsule/crypto'

/** H("ledger", identity key): the name of a ledger. @returns 32 bytes */
export function ledgerIdOf(identityKey: Uint8Array): Uint8Array {
  return labeledHash('ledger', identityKey)
}

export interface LedgerKeyInput {
  /** 32 bytes. */
  readonly ledgerId: Uint8Array
  /** The platform's half; null on a platform that has none. */
  readonly platformKey: Secret<'platform-key'> | null
  /** The provider's half, from the key release; null where none was given. */
  readonly stateKey: Secret<'state-key'> | null
}

/**
 * K = HKDF-Extract(salt = ledgerId, IKM = platform key ‖ stateKey), an absent half being 32 zero bytes.
 * @see spec/ledger.md §2
 */
export function deriveLedgerKey(input: LedgerKeyInput): Secret<'prk'> {
  const absent = new Uint8Array(32)
  return hkdfExtract(input.ledgerId, [input.platformKey ?? absent, input.stateKey ?? absent])
}
