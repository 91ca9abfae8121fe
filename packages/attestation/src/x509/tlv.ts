// SPDX-License-Identifier: Apache-2.0

/** One value of DER with its tag: enough for vendors' extensions and for frames, which use tags of one byte. */
export interface TagLengthValue {
  readonly tag: number
  /** A view of the bytes that were read. */
  readonly value: Uint8Array
  /** The same with tag and length. */
  readonly whole: Uint8Array
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  ia5String: 0x16,
  sequence: 0x30,
} as const

/** More than any input here has. */
const lengthMaxSizeBytes = 3

/**
 * Splits bytes into the DER values that stand one after the other in them, each with its length in the shortest form.
 * @throws what `refuse` makes
 * @see ITU-T X.690 §8.1, §10.1
 */
export function readTlvs(bytes: Uint8Array, refuse: (detail: string) => Error): readonly TagLengthValue[] {
  const values: TagLengthValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    const lead = bytes[at + 1] ?? 0xff
    const lengthSizeBytes = lead < 0x80 ? 0 : lead - 0x80
    if ((tag & 0x1f) === 0x1f || lead === 0x80 || lengthSizeBytes > lengthMaxSizeBytes) {
      throw refuse('a value is not DER')
    }
    let sizeBytes = lengthSizeBytes === 0 ? lead : 0
    for (let i = 0; i < lengthSizeBytes; i++) sizeBytes = sizeBytes * 256 + (bytes[at + 2 + i] ?? 0)
    if (lengthSizeBytes > 0 && sizeBytes < Math.max(0x80, 256 ** (lengthSizeBytes - 1))) {
      throw refuse('a length is not in its shortest form')
    }
    const from = at + 2 + lengthSizeBytes
    if (sizeBytes > bytes.length - from) throw refuse(`a value of ${sizeBytes} bytes is cut off`)
    values.push({
      tag,
      value: bytes.subarray(from, from + sizeBytes),
      whole: bytes.subarray(at, from + sizeBytes),
    })
    at = from + sizeBytes
  }
  return values
}
