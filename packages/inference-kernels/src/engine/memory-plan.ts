// SPDX-License-Identifier: Apache-2.0
import type { TensorData } from '@mlcapsule/contracts'
import { KernelError } from '../errors.ts'
import type { BoundTensor } from '../plan/bound.ts'
import { type BoundSegment, ProgramBinder } from '../plan/program-binder.ts'
import { planResidency, smallestRoomSizeBytes } from '../plan/residency.ts'
import { allResident, type WeightPlaces } from '../plan/weight-places.ts'
import { isOfSizes } from '../program/program-error.ts'
import type { Program } from '../program/types.ts'

export interface MemoryPlanOptions {
  readonly program: Program
  /** What a usual query begins with: one list per input, then one per state. */
  readonly dims: readonly (readonly number[])[]
  /** Whether all queries have these sizes. */
  readonly isStatic: boolean
  readonly pageSizeBytes: number
  /** What kernels and pager take beside the kernels' memory. */
  readonly besideSizeBytes: number
  readonly weightsContents: (place: BoundTensor) => TensorData | null
}

/** How a budget is shared out. */
export interface MemoryPlan {
  readonly places: WeightPlaces
  /** Of the kernels' memory: to begin with, and what queries may make it grow to. */
  readonly memorySizeBytes: number
  readonly maxMemorySizeBytes: number
  /** For records and fetches of all bindings that are kept. */
  readonly maxRecordsSizeBytes: number
}

/** Records and fetches of a segment: as the engine made them, and the kernels' copy. */
export function recordsSizeBytes({ records, stream }: BoundSegment): number {
  const words = stream === null ? 0 : 3 * stream.pages.length + stream.neededBy.length
  return 2 * (records.byteLength + 4 * words)
}

/** A pager's own: the piece of ciphertext that it works on, and for each page its nonce and associated data. */
const pieceSizeBytes = 65_536
const sealSizeBytes = 128

/** What a thread that opens pages takes, at most. */
export function pagerSizeBytes(pageCount: number): number {
  return pieceSizeBytes + sealSizeBytes * pageCount
}

interface Need {
  readonly arenaSizeBytes: number
  readonly recordsSizeBytes: number
}

/** Share of a budget, what lies beside the memory apart, that is left to queries of other sizes, where these are not known beforehand. */
const otherSizesShare = 1 / 4

function needOf(options: MemoryPlanOptions, weights: WeightPlaces): Need {
  const { program, dims, weightsContents, isStatic } = options
  try {
    const { segment } = new ProgramBinder(program, { weights, weightsContents }).begin(dims)
    return { arenaSizeBytes: segment.arenaSizeBytes, recordsSizeBytes: recordsSizeBytes(segment) }
  } catch (error) {
    // A guess of sizes that the program does not take tells nothing.
    if (isStatic || !isOfSizes(error)) throw error
    return { arenaSizeBytes: 0, recordsSizeBytes: 0 }
  }
}

interface RoomPlan {
  readonly places: WeightPlaces
  readonly need: Need
  readonly totalSizeBytes: number
}

/** The plan for so much room for weights, and what all of it takes. */
function planRoom(options: MemoryPlanOptions, roomSizeBytes: number): RoomPlan {
  const { program, pageSizeBytes, besideSizeBytes } = options
  const places = planResidency(program, { roomSizeBytes, pageSizeBytes })
  const need = needOf(options, places)
  const totalSizeBytes = besideSizeBytes + places.endBytes + need.arenaSizeBytes + need.recordsSizeBytes
  return { places, need, totalSizeBytes }
}

function leastPlan(options: MemoryPlanOptions): RoomPlan {
  return planRoom(options, smallestRoomSizeBytes(options.program, options.pageSizeBytes))
}

/** The least budget in which the program answers queries of these sizes. */
export function smallestBudgetSizeBytes(options: MemoryPlanOptions): number {
  return leastPlan(options).totalSizeBytes
}

/** The most room for weights that goes into a budget beside all else; the least there is where nothing does. */
function largestPlan(options: MemoryPlanOptions, budgetSizeBytes: number): RoomPlan {
  const { program, pageSizeBytes, besideSizeBytes, isStatic } = options
  const smallest = smallestRoomSizeBytes(program, pageSizeBytes)
  const first = needOf(options, allResident(program, 0))
  const usual = first.arenaSizeBytes
  const others = isStatic ? usual : Math.floor((budgetSizeBytes - besideSizeBytes) * otherSizesShare)
  // Cut into pieces, the program has more records than whole: with room left for them, it is planned again.
  for (let recordsSize = first.recordsSizeBytes; ; ) {
    const beside = budgetSizeBytes - besideSizeBytes - recordsSize
    const room = beside - Math.max(usual, Math.min(others, beside - smallest))
    if (room < smallest) return leastPlan(options)
    const plan = planRoom(options, room)
    if (plan.need.recordsSizeBytes <= recordsSize) return plan
    recordsSize = plan.need.recordsSizeBytes
  }
}

/**
 * Shares a budget out: what a query computes with comes first, then the ring that weights come through, then weights that
 * stay.
 * @throws KernelError `KERNEL_BUDGET_TOO_SMALL` naming the least that works; `PROGRAM_*`
 */
export function planMemory(options: MemoryPlanOptions, budgetSizeBytes: number): MemoryPlan {
  const { places, need, totalSizeBytes } = largestPlan(options, budgetSizeBytes)
  if (totalSizeBytes > budgetSizeBytes) {
    const detail = `a budget of ${budgetSizeBytes} bytes, at least ${totalSizeBytes} are needed`
    throw new KernelError('KERNEL_BUDGET_TOO_SMALL', detail, { field: 'memoryBudgetSizeBytes' })
  }
  const memorySizeBytes = places.endBytes + need.arenaSizeBytes
  const restSizeBytes = budgetSizeBytes - options.besideSizeBytes
  return {
    places,
    memorySizeBytes,
    maxMemorySizeBytes: options.isStatic ? memorySizeBytes : restSizeBytes - need.recordsSizeBytes,
    maxRecordsSizeBytes: options.isStatic ? restSizeBytes - memorySizeBytes : need.recordsSizeBytes,
  }
}
