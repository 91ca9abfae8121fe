// SPDX-License-Identifier: Apache-2.0

/** Joins byte strings. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let sizeBytes = 0
  for (const part of parts) sizeBytes += part.length
  const joined = new Uint8Array(sizeBytes)
  let offsetBytes = 0
  for (const part of parts) {
    joined.set(part, offsetBytes)
    offsetBytes += part.length
  }
  return joined
}

/**
 * Compares in time that depends on the lengths alone. Lengths are public.
 */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  let difference = 0
  for (let i = 0; i < left.length; i++) difference |= (left[i] as number) ^ (right[i] as number)
  return difference === 0
}

const randomQuotaBytes = 65_536

/** Random bytes from the platform's generator. */
export function randomBytes(sizeBytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes)
  for (let at = 0; at < sizeBytes; at += randomQuotaBytes) {
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + randomQuotaBytes))
  }
  return bytes
}

/**
 * Random bytes out of a stock, for small draws that come often: a call of the generator takes far longer than the bytes do.
 * What is handed out is in the stock no more.
 * @param stockSizeBytes what one draw takes from the generator; larger requests go there by themselves
 */
export function stockedRandomBytes(
  draw: (sizeBytes: number) => Uint8Array = randomBytes,
  stockSizeBytes: number = 2048,
): (sizeBytes: number) => Uint8Array {
  let stock = new Uint8Array(0)
  let usedSizeBytes = 0
  return (sizeBytes) => {
    if (sizeBytes > stockSizeBytes) return draw(sizeBytes)
    if (sizeBytes > stock.length - usedSizeBytes) {
      stock = Uint8Array.from(draw(stockSizeBytes))
      usedSizeBytes = 0
    }
    const taken = stock.subarray(usedSizeBytes, usedSizeBytes + sizeBytes)
    usedSizeBytes += sizeBytes
    const bytes = taken.slice()
    taken.fill(0)
    return bytes
  }
}

/** Big-endian, as everywhere in MLCapsule's formats. */
export function uint32Bytes(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** Big-endian. @param value a safe integer ≥ 0 */
export function uint64Bytes(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

/**
 * WebCrypto refuses views of shared memory; and what another thread may still write must be copied before it is read
 * twice. Bytes in ordinary memory are passed through.
 */
export function unsharedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}
