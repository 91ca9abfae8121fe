// SPDX-License-Identifier: Apache-2.0

/** One value of DER with its tag: enough for the vendors' extensions, which use tags of one byte. */
export interface TagLengthValue {
  readonly tag: number
  readonly value: Uint8Array<ArrayBuffer>
}

export const derTags = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  sequence: 0x30,
} as const

/**
 * Splits bytes into the DER values that stand one after the other in them. Lengths of up to 65,535 bytes in their shortest
 * form.
 * @throws what `refuse` makes
 * @see ITU-T X.690 §8.1, §10.1
 */
export function readTlvs(bytes: Uint8Array, refuse: (detail: string) => Error): readonly TagLengthValue[] {
  const values: TagLengthValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] as number
    const lead = bytes[at + 1] ?? 0xff
    const lengthSizeBytes = lead < 0x80 ? 0 : lead - 0x80
    let sizeBytes = lengthSizeBytes === 0 ? lead : 0
    for (let i = 0; i < lengthSizeBytes; i++) sizeBytes = sizeBytes * 256 + (bytes[at + 2 + i] ?? 0)
    const from = at + 2 + lengthSizeBytes
    const shortest = sizeBytes < 0x80 ? 0 : sizeBytes < 0x100 ? 1 : 2
    if ((tag & 0x1f) === 0x1f || lead === 0x80 || lengthSizeBytes !== shortest) {
      throw refuse('a value is not DER')
    }
    if (sizeBytes > bytes.length - from) throw refuse(`a value of ${sizeBytes} bytes is cut off`)
    values.push({ tag, value: bytes.slice(from, from + sizeBytes) as Uint8Array<ArrayBuffer> })
    at = from + sizeBytes
  }
  return values
}
