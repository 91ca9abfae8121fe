// SPDX-License-Identifier: Apache-2.0

/**
 * Holds the outermost length of a DER structure against what is there: the parser would let bytes after it pass.
 * @throws what `refuse` makes
 */
export function assertDerSize(
  der: Uint8Array,
  maxSizeBytes: number,
  what: string,
  refuse: (detail: string) => Error,
): void {
  if (der.length > maxSizeBytes)
    throw refuse(`${what} has ${der.length} bytes, at most ${maxSizeBytes} are read`)
  const lead = der[1] ?? 0
  const lengthSizeBytes = lead < 0x80 ? 0 : lead & 0x7f
  if (der[0] !== 0x30 || lengthSizeBytes > 4 || lead === 0x80) throw refuse(`${what} is not a DER sequence`)
  let sizeBytes = lengthSizeBytes === 0 ? lead : 0
  for (let i = 0; i < lengthSizeBytes; i++) sizeBytes = sizeBytes * 256 + (der[2 + i] ?? 0)
  if (2 + lengthSizeBytes + sizeBytes !== der.length) {
    throw refuse(`${what} says that it has ${2 + lengthSizeBytes + sizeBytes} bytes, there are ${der.length}`)
  }
}
