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
  readonly #dims: readonly (readonly number[])[]
  readonly #addresses: readonly number[]
  readonly #records: Int32Array[] = []
  /** Path of the step being lowered, for messages. */
  path = 'steps'

  constructor(program: Program, dims: readonly (readonly number[])[], addresses: readonly number[]) {
    this.#program = program
    this.#dims = dims
    this.#addresses = addresses
  }

  get recordCount(): number {
    return this.#records.length
  }

  place(value: number): PlacedValue {
    const { dtype, layout } = this.#program.values[value] as ProgramValue
    const dims = this.#dims[value] as readonly number[]
    return {
      addressBytes: this.#addresses[value] as number,
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
    return value === null ? 0 : (this.#addresses[value] as number)
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
