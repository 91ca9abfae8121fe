// SPDX-License-Identifier: Apache-2.0
import { bitsToFloat, floatToBits } from '../records/record.ts'
import { failProgram } from './program-error.ts'

/** Collects little-endian 32-bit words. */
export class WordWriter {
  readonly #words: number[] = []

  get wordCount(): number {
    return this.#words.length
  }

  int(value: number): void {
    this.#words.push(value | 0)
  }

  ints(values: readonly number[]): void {
    for (const value of values) this.int(value)
  }

  float(value: number): void {
    this.#words.push(floatToBits(value))
  }

  /** Zeros up to a word count. */
  padTo(wordCount: number): void {
    while (this.#words.length < wordCount) this.#words.push(0)
  }

  append(other: WordWriter): void {
    for (const word of other.#words) this.#words.push(word)
  }

  copyTo(view: DataView, offsetBytes: number): void {
    for (const [i, word] of this.#words.entries()) view.setInt32(offsetBytes + 4 * i, word, true)
  }
}

/** Reads a range of little-endian 32-bit words; whatever does not fit is `PROGRAM_MALFORMED`. */
export class WordReader {
  readonly #view: DataView
  #at: number
  readonly #end: number

  /** @param offsetBytes and `wordCount` must lie within `view`: the caller has compared sizes */
  constructor(view: DataView, offsetBytes: number, wordCount: number) {
    this.#view = view
    this.#at = offsetBytes
    this.#end = offsetBytes + 4 * wordCount
  }

  get remainingWordCount(): number {
    return (this.#end - this.#at) / 4
  }

  int(field: string): number {
    if (this.#at >= this.#end) failProgram(field, 'the words end before this field', 'PROGRAM_MALFORMED')
    const word = this.#view.getInt32(this.#at, true)
    this.#at += 4
    return word
  }

  /** @returns any float but NaN, of which there are many */
  float(field: string): number {
    const value = bitsToFloat(this.int(field))
    if (Number.isNaN(value)) failProgram(field, 'is not a number', 'PROGRAM_MALFORMED')
    return value
  }

  /** A number below `count`. */
  index(count: number, field: string): number {
    const value = this.int(field)
    if (value < 0 || value >= count)
      failProgram(field, `expected 0 to ${count - 1}, got ${value}`, 'PROGRAM_MALFORMED')
    return value
  }

  zeros(count: number, field: string): void {
    for (let i = 0; i < count; i++) {
      if (this.int(field) !== 0) failProgram(field, 'unused words must be 0', 'PROGRAM_MALFORMED')
    }
  }
}
