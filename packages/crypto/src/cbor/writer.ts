// SPDX-License-Identifier: Apache-2.0

type Key = string | number | bigint

const encoder = new TextEncoder()
const asciiTextMaxLength = 64

/** Text that UTF-8 writes as it is. */
function isShortAscii(text: string): boolean {
  if (text.length > asciiTextMaxLength) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) return left.length - right.length
  const at = left.findIndex((byte, i) => byte !== right[i])
  return at < 0 ? 0 : (left[at] as number) - (right[at] as number)
}

/** Which of two keys has the lower encoding, byte by byte: integers from 0 up, from -1 down, then texts, short ones first. */
export function compareKeys(left: Key, right: Key): number {
  if (typeof left === 'string' && typeof right === 'string') {
    if (!isShortAscii(left) || !isShortAscii(right)) {
      return compareBytes(encoder.encode(left), encoder.encode(right))
    }
    if (left.length !== right.length) return left.length - right.length
    return left < right ? -1 : left > right ? 1 : 0
  }
  if (typeof left === 'string') return 1
  if (typeof right === 'string') return -1
  if (left < 0 !== right < 0) return left < 0 ? 1 : -1
  if (left === right) return 0
  return left < right === left >= 0 ? -1 : 1
}

/** Bits of a half-precision number, or undefined where the value is not one. Not for zero, NaN and infinities. */
export function float16Bits(value: number): number | undefined {
  const sign = value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  // Below 2^-14 steps are 2^-24; above, eleven digits follow the exponent.
  if (size < 2 ** -14) {
    const steps = size * 2 ** 24
    return Number.isInteger(steps) ? sign | steps : undefined
  }
  if (size > 65_504) return undefined
  const exponent = Math.floor(Math.log2(size))
  const fraction = (size / 2 ** exponent - 1) * 1024
  return Number.isInteger(fraction) && fraction >= 0 && fraction < 1024
    ? sign | ((exponent + 15) << 10) | fraction
    : undefined
}

/** Writes values that `assertEncodable` has let through, in deterministic form (RFC 8949 §4.2.1). */
export class CborWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(1024)
  #view: DataView = new DataView(this.#bytes.buffer)
  #sizeBytes: number = 0

  /** What was written, as a copy. The writer is empty and clean afterward: a message may hold keys. */
  take(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#sizeBytes)
    this.#bytes.fill(0, 0, this.#sizeBytes)
    this.#sizeBytes = 0
    return written
  }

  write(value: unknown): void {
    if (typeof value === 'number') this.#writeNumber(value)
    else if (typeof value === 'string') this.#writeText(value)
    else if (typeof value === 'bigint') this.#writeInteger(value)
    else if (typeof value === 'boolean') this.#writeByte(value ? 0xf5 : 0xf4)
    else if (value === null) this.#writeByte(0xf6)
    else if (value instanceof Uint8Array) this.#writeBytes(value)
    else if (Array.isArray(value)) {
      this.#writeHead(4, value.length)
      for (const item of value) this.write(item)
    } else this.#writeMap(value instanceof Map ? [...value] : Object.entries(value as object))
  }

  #writeMap(entries: [Key, unknown][]): void {
    entries.sort(([left], [right]) => compareKeys(left, right))
    this.#writeHead(5, entries.length)
    for (const [key, item] of entries) {
      this.write(key)
      this.write(item)
    }
  }

  #writeNumber(value: number): void {
    if (Number.isSafeInteger(value)) this.#writeInteger(value)
    else this.#writeFloat(value)
  }

  #writeInteger(value: number | bigint): void {
    if (value >= 0) this.#writeHead(0, value)
    else this.#writeHead(1, typeof value === 'bigint' ? -1n - value : -1 - value)
  }

  /** The shortest of the three forms that holds the value. */
  #writeFloat(value: number): void {
    this.#reserve(9)
    const half = float16Bits(value)
    if (half !== undefined) {
      this.#writeByte(0xf9)
      this.#view.setUint16(this.#sizeBytes, half)
      this.#sizeBytes += 2
    } else if (Math.fround(value) === value) {
      this.#writeByte(0xfa)
      this.#view.setFloat32(this.#sizeBytes, value)
      this.#sizeBytes += 4
    } else {
      this.#writeByte(0xfb)
      this.#view.setFloat64(this.#sizeBytes, value)
      this.#sizeBytes += 8
    }
  }

  #writeText(text: string): void {
    if (!isShortAscii(text)) {
      const bytes = encoder.encode(text)
      this.#writeHead(3, bytes.length)
      this.#append(bytes)
      return
    }
    this.#writeHead(3, text.length)
    this.#reserve(text.length)
    for (let i = 0; i < text.length; i++) this.#bytes[this.#sizeBytes++] = text.charCodeAt(i)
  }

  #writeBytes(bytes: Uint8Array): void {
    this.#writeHead(2, bytes.length)
    this.#append(bytes)
  }

  /** Major type and argument, in the shortest form. */
  #writeHead(major: number, argument: number | bigint): void {
    this.#reserve(9)
    const type = major << 5
    if (argument < 24) this.#bytes[this.#sizeBytes++] = type | Number(argument)
    else if (argument < 0x100) {
      this.#bytes[this.#sizeBytes++] = type | 24
      this.#bytes[this.#sizeBytes++] = Number(argument)
    } else if (argument < 0x1_0000) {
      this.#bytes[this.#sizeBytes++] = type | 25
      this.#view.setUint16(this.#sizeBytes, Number(argument))
      this.#sizeBytes += 2
    } else if (argument < 0x1_0000_0000) {
      this.#bytes[this.#sizeBytes++] = type | 26
      this.#view.setUint32(this.#sizeBytes, Number(argument))
      this.#sizeBytes += 4
    } else {
      this.#bytes[this.#sizeBytes++] = type | 27
      this.#view.setBigUint64(this.#sizeBytes, BigInt(argument))
      this.#sizeBytes += 8
    }
  }

  #writeByte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#sizeBytes++] = byte
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#sizeBytes)
    this.#sizeBytes += bytes.length
  }

  #reserve(sizeBytes: number): void {
    const wantedSizeBytes = this.#sizeBytes + sizeBytes
    if (wantedSizeBytes <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(wantedSizeBytes, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#sizeBytes))
    this.#bytes.fill(0)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
