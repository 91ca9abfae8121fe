// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@mlcapsule/crypto'

/** A DER value. */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const value = concatBytes(...content)
  const { length } = value
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...size), value)
}
