// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes } from '@mlcapsule/contracts'
import { type OpRecordName, recordWordCount } from '../abi.generated.ts'
import { programLimits } from '../program/limits.ts'
import { failProgram } from '../program/program-error.ts'
import type { Layout, Program, ProgramValue } from '../program/types.ts'
import { makeRecord, type OpRecordFields } from '../records/record.ts'
import { stridesOf } from './strides.ts'

/** A value with its place: what a record needs to know of an operand. */
export interface PlacedValue {
  readonly addressBytes: number
  readonly dims: readonly number[]
  readonly layout: Layout
  readonly strides: readonly number[]
  readonly elementCount: number
  readonly elementSizeBytes: number
  readonly dtype: ProgramValue['dtype']
}

/** Collects the records of a program, step after step. */
export class Lowering {
  readonly #program: Program
  readonly #dims: (value: number) => readonly number[]
  readonly #address: (value: number) => number
  readonly #records: Int32Array[] = []
  /** Path of the step being lowered, for messages. */
  path = 'steps'

  constructor(
    program: Program,
    dims: (value: number) => readonly number[],
    address: (value: number) => number,
  ) {
    this.#program = program
    this.#dims = dims
    this.#address = address
  }

  get recordCount(): number {
    return this.#records.length
  }

  place(value: number): PlacedValue {
    const { dtype, layout } = this.#program.values[value] as ProgramValue
    const dims = this.#dims(value)
    return {
      addressBytes: this.#address(value),
      dims,
      layout,
      dtype,
      strides: stridesOf(dims, layout),
      elementCount: dims.reduce((count, dim) => count * dim, 1),
      elementSizeBytes: elementSizeBytes(dtype),
    }
  }

  /** Address of an operand that may be absent; 0 then. */
  addressOrZero(value: number | null): number {
    return value === null ? 0 : this.#address(value)
  }

  add<Op extends OpRecordName>(op: Op, fields: OpRecordFields<Op>): void {
    if (this.#records.length >= programLimits.recordCount) {
      failProgram(
        this.path,
        `the program needs more than ${programLimits.recordCount} records`,
        'PROGRAM_LIMIT_EXCEEDED',
      )
    }
    this.#records.push(makeRecord(op, fields))
  }

  finish(): Int32Array {
    const words = new Int32Array(this.#records.length * recordWordCount)
    for (const [i, record] of this.#records.entries()) words.set(record, i * recordWordCount)
    return words
  }
}
