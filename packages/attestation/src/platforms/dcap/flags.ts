// SPDX-License-Identifier: Apache-2.0

/** Names of the bits of an attribute field, by bit. */
export type FlagNames = ReadonlyMap<number, string>

/** Bits that are set in little-endian bytes, in ascending order. */
export function bitsOf(bytes: Uint8Array): readonly number[] {
  return [...bytes].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).map((bit) => 8 * i + bit),
  )
}

/** Names of the bits that are set; a bit without one is `bit N`, which no policy can allow. */
export function flagsOf(bytes: Uint8Array, names: FlagNames): readonly string[] {
  return bitsOf(bytes).map((bit) => names.get(bit) ?? `bit ${bit}`)
}
