// SPDX-License-Identifier: Apache-2.0
import { copyBytes } from '@mlcapsule/contracts'
import { CryptoError } from '../errors.ts'
import { compareKeys, float16Bits } from './writer.ts'

type Key = string | number | bigint

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const asciiTextMaxLength = 64

function malformed(detail: string): never {
  throw new CryptoError('CBOR_MALFORMED', detail)
}

function defineMember(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
}

/**
 * Reads one value of the accepted subset. What is well-formed but not in its deterministic form is noted and read on, so
 * that what is not even well-formed is called that.
 */
export class CborReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #allowFloats: boolean
  readonly #maxDepth: number
  #position: number = 0
  #isDeterministic: boolean = true

  constructor(bytes: Uint8Array, allowFloats: boolean, maxDepth: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#allowFloats = allowFloats
    this.#maxDepth = maxDepth
  }

  get isDeterministic(): boolean {
    return this.#isDeterministic
  }

  /** @throws CryptoError `CBOR_MALFORMED`, `CBOR_TOO_LARGE` for nesting */
  readWhole(): unknown {
    const value = this.#read(this.#maxDepth)
    if (this.#position !== this.#bytes.length) malformed('bytes follow the value')
    return value
  }

  #read(depth: number): unknown {
    const head = this.#bytes[this.#take(1)] as number
    const major = head >> 5
    const info = head & 0x1f
    if (major === 7) return this.#readSimple(info)
    const argument = this.#readArgument(info)
    switch (major) {
      case 0:
        return argument
      case 1: {
        const value = typeof argument === 'bigint' ? -1n - argument : -1 - argument
        return Number.isSafeInteger(value) || typeof value === 'bigint' ? value : -1n - BigInt(argument)
      }
      case 2:
        return this.#readBytes(argument)
      case 3:
        return this.#readText(argument)
      case 4:
        return this.#readArray(this.#lengthOf(argument, 1), this.#enter(depth))
      case 5:
        return this.#readMap(this.#lengthOf(argument, 2), this.#enter(depth))
      default:
        return malformed('tags are not accepted')
    }
  }

  #enter(depth: number): number {
    if (depth > 0) return depth - 1
    throw new CryptoError('CBOR_TOO_LARGE', `at most ${this.#maxDepth} levels of nesting are accepted`)
  }

  /** Where the next bytes begin. */
  #take(sizeBytes: number): number {
    const at = this.#position
    if (sizeBytes > this.#bytes.length - at) malformed('the bytes end within a value')
    this.#position += sizeBytes
    return at
  }

  #readArgument(info: number): number | bigint {
    if (info < 24) return info
    if (info > 27) malformed('indefinite and reserved lengths are not accepted')
    const sizeBytes = 1 << (info - 24)
    const at = this.#take(sizeBytes)
    if (info === 24) return this.#atLeast(24, this.#view.getUint8(at))
    if (info === 25) return this.#atLeast(0x100, this.#view.getUint16(at))
    if (info === 26) return this.#atLeast(0x1_0000, this.#view.getUint32(at))
    const value = this.#view.getBigUint64(at)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) return value
    return this.#atLeast(0x1_0000_0000, Number(value))
  }

  /** A smaller argument would have fitted a shorter form. */
  #atLeast(least: number, value: number): number {
    if (value < least) this.#isDeterministic = false
    return value
  }

  /** The items of an array or a map take bytes each; so no length is believed that the rest of the input cannot hold. */
  #lengthOf(argument: number | bigint, itemSizeBytes: number): number {
    if (argument > (this.#bytes.length - this.#position) / itemSizeBytes)
      malformed('the bytes end within a value')
    return Number(argument)
  }

  #readBytes(argument: number | bigint): Uint8Array {
    const at = this.#take(this.#lengthOf(argument, 1))
    return copyBytes(this.#bytes, at, this.#position)
  }

  #readText(argument: number | bigint): string {
    const length = this.#lengthOf(argument, 1)
    const at = this.#take(length)
    const text = this.#shortAscii(at, length) ?? this.#decodeText(at)
    // TextDecoder, on the other side, would drop it.
    if (text.charCodeAt(0) === 0xfeff) malformed('a text starts with a byte order mark')
    return text
  }

  #shortAscii(at: number, length: number): string | undefined {
    if (length > asciiTextMaxLength) return undefined
    let text = ''
    for (let i = at; i < at + length; i++) {
      const byte = this.#bytes[i] as number
      if (byte > 0x7f) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }

  /** Bytes that are not UTF-8 cannot be what any text is written as. */
  #decodeText(at: number): string {
    // A copy: a decoder refuses memory that is shared.
    const bytes = copyBytes(this.#bytes, at, this.#position)
    try {
      return strictDecoder.decode(bytes)
    } catch {
      this.#isDeterministic = false
      return ''
    }
  }

  #readArray(length: number, depth: number): unknown[] {
    const items: unknown[] = []
    for (let i = 0; i < length; i++) items.push(this.#read(depth))
    return items
  }

  /** A plain object where all keys are text, else a Map. */
  #readMap(length: number, depth: number): unknown {
    const keys: Key[] = []
    const items: unknown[] = []
    let isText = true
    // Only where keys are out of order; what is read then is refused in any case, and this says as what.
    let seen: Set<Key> | undefined
    for (let i = 0; i < length; i++) {
      const key = this.#readKey()
      if (i > 0 && compareKeys(keys[i - 1] as Key, key) >= 0) {
        this.#isDeterministic = false
        seen ??= new Set(keys)
      }
      if (seen?.has(key)) malformed('a map key is repeated')
      seen?.add(key)
      isText &&= typeof key === 'string'
      keys.push(key)
      items.push(this.#read(depth))
    }
    if (!isText) return new Map(keys.map((key, i) => [key, items[i]]))
    const object: Record<string, unknown> = {}
    for (const [i, key] of keys.entries()) {
      // Assigned, this one would be the prototype.
      if (key === '__proto__') defineMember(object, key, items[i])
      else object[key as string] = items[i]
    }
    return object
  }

  #readKey(): Key {
    const major = (this.#bytes[this.#position] ?? 0xff) >> 5
    if (major === 0 || major === 1 || major === 3) return this.#read(0) as Key
    return malformed('a map key is neither an integer nor text')
  }

  #readSimple(info: number): unknown {
    if (info === 20) return false
    if (info === 21) return true
    if (info === 22) return null
    if (info < 25 || info > 27) malformed('other simple values than booleans and null are not accepted')
    if (!this.#allowFloats) malformed('floats are not accepted here')
    return this.#readFloat(info)
  }

  #readFloat(info: number): number {
    const at = this.#take(1 << (info - 24))
    const value =
      info === 25
        ? float16(this.#view.getUint16(at))
        : info === 26
          ? this.#view.getFloat32(at)
          : this.#view.getFloat64(at)
    if (!Number.isFinite(value) || Object.is(value, -0)) malformed('a number is not finite, or minus zero')
    const fitsShorter =
      Number.isSafeInteger(value) ||
      (info > 25 && float16Bits(value) !== undefined) ||
      (info === 27 && Math.fround(value) === value)
    if (fitsShorter) this.#isDeterministic = false
    return value
  }
}

function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return Number.NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15))
}
