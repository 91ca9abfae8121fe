// SPDX-License-Identifier: Apache-2.0
import { utf8Bytes } from '../encoding/text.ts'
import { labeledHash } from '../hash/hash.ts'

/** Bytes that only depend on their name, so that tests and vectors come out the same each time. @returns 32 bytes */
export function seeded(name: string): Uint8Array {
  return labeledHash('test-seed', utf8Bytes(name))
}

/** A source of such bytes. */
export function seededRandom(name: string): (sizeBytes: number) => Uint8Array {
  let count = 0
  return (sizeBytes) => {
    const bytes = new Uint8Array(sizeBytes)
    for (let at = 0; at < sizeBytes; at += 32) {
      bytes.set(seeded(`${name} ${count++}`).subarray(0, Math.min(32, sizeBytes - at)), at)
    }
    return bytes
  }
}
