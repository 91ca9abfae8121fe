// SPDX-License-Identifier: Apache-2.0
import type { Anchor } from '@mlcapsule/contracts'
import { encodeCbor, randomBytes } from '@mlcapsule/crypto'
import { extendedAnchor } from '../ledger/record.ts'

/**
 * An anchor that is gone with the process. It holds against whoever cannot reach the process's memory, and only for as long
 * as that lives: for enclaves on hardware, and for tests.
 */
export function volatileAnchor(id: Uint8Array = randomBytes(32)): Anchor & { readonly name: 'volatile' } {
  let value: Uint8Array = new Uint8Array(32)
  return {
    kind: 'anchor',
    name: 'volatile',
    version: 1,
    descriptor: encodeCbor(
      new Map<number, unknown>([
        [1, 'volatile'],
        [2, id],
      ]),
    ),
    read: () => Promise.resolve(value.slice()),
    extend(digest) {
      value = extendedAnchor(value, digest)
      return Promise.resolve()
    },
  }
}
