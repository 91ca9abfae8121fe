// SPDX-License-Identifier: Apache-2.0
import { elementSizeBytes, type WeightStream } from '@mlcapsule/contracts'
import { type OpRecordName, panelWidth, recordWordCount } from '../abi.generated.ts'
import { programLimits } from '../program/limits.ts'
import { failProgram } from '../program/program-error.ts'
import type { Layout, Program, ProgramValue } from '../program/types.ts'
import { makeRecord, type OpRecordFields } from '../records/record.ts'
import type { FetchPlan } from './fetch-plan.ts'
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

/** Weights of some output columns that follow one another, in memory when the record that is added next runs. */
export interface WeightPiece {
  readonly addressBytes: number
  readonly firstColumn: number
  readonly columnCount: number
}

export interface LoweringOptions {
  readonly dims: (value: number) => readonly number[]
  readonly address: (value: number) => number
  /** Whether a weights value comes through the ring: then it has no address. */
  readonly isStreamed: (value: number) => boolean
  /** Null where all weights stay in memory. */
  readonly fetches: FetchPlan | null
}

/** Equal pieces of at most `most` panels, in whole tiles of the kernels where there is room for one. */
function panelsPerPiece(panelCount: number, most: number): number {
  const tile = most >= widestTilePanelCount ? widestTilePanelCount : 1
  const fitting = Math.max(Math.floor(most / tile), 1) * tile
  return Math.ceil(panelCount / Math.ceil(panelCount / fitting) / tile) * tile
}

/** Panels that the widest tile of a kernel takes. */
const widestTilePanelCount = 4

/** Collects the records of a program, step after step. */
export class Lowering {
  readonly #program: Program
  readonly #options: LoweringOptions
  readonly #records: Int32Array[] = []
  /** Path of the step being lowered, for messages. */
  path = 'steps'

  constructor(program: Program, options: LoweringOptions) {
    this.#program = program
    this.#options = options
  }

  get recordCount(): number {
    return this.#records.length
  }

  place(value: number): PlacedValue {
    const { dtype, layout } = this.#program.values[value] as ProgramValue
    const dims = this.#options.dims(value)
    return {
      addressBytes: this.#options.address(value),
      dims,
      layout,
      dtype,
      strides: stridesOf(dims, layout),
      elementCount: dims.reduce((count, dim) => count * dim, 1),
      elementSizeBytes: elementSizeBytes(dtype),
    }
  }

  dtypeOf(value: number): ProgramValue['dtype'] {
    return (this.#program.values[value] as ProgramValue).dtype
  }

  dimsOf(value: number): readonly number[] {
    return this.#options.dims(value)
  }

  /** Address of an operand that may be absent; 0 then. */
  addressOrZero(value: number | null): number {
    return value === null ? 0 : this.#options.address(value)
  }

  /**
   * Where a step's weights are, one piece after another: all of them at once where they stay in memory or cannot be split.
   * Take a piece, add its record, and only then take the next one.
   * @param columnCount of the output
   * @param isSplit whether the step can be split by columns: their panels follow one another then
   * @param preferredPageCount pages of a piece, where small ones cost nothing
   */
  *weightPieces(
    value: number,
    columnCount: number,
    isSplit: boolean,
    preferredPageCount: number = Number.POSITIVE_INFINITY,
  ): Generator<WeightPiece, void, undefined> {
    const { storage } = this.#program.values[value] as ProgramValue
    const { fetches } = this.#options
    if (fetches === null || storage.kind !== 'weights' || !this.#options.isStreamed(value)) {
      yield { addressBytes: this.#options.address(value), firstColumn: 0, columnCount }
      return
    }
    const pieceSizeBytes =
      fetches.pageSizeBytes * (Math.min(fetches.stretchPageCount, preferredPageCount) - 1)
    const panelCount = Math.ceil(columnCount / panelWidth)
    const sizePerPanel = storage.sizeBytes / panelCount
    const step = isSplit ? panelsPerPiece(panelCount, pieceSizeBytes / sizePerPanel) : panelCount
    for (let panel = 0; panel < panelCount; panel += step) {
      const end = Math.min(panel + step, panelCount)
      const firstColumn = panel * panelWidth
      const offsetBytes = storage.offsetBytes + panel * sizePerPanel
      yield {
        addressBytes: fetches.place(offsetBytes, (end - panel) * sizePerPanel, this.recordCount),
        firstColumn,
        columnCount: Math.min(end * panelWidth, columnCount) - firstColumn,
      }
    }
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

  finish(): { readonly records: Int32Array; readonly stream: WeightStream | null } {
    const records = new Int32Array(this.#records.length * recordWordCount)
    for (const [i, record] of this.#records.entries()) records.set(record, i * recordWordCount)
    return { records, stream: this.#options.fetches?.finish(this.#records.length) ?? null }
  }
}
