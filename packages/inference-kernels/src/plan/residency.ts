// SPDX-License-Identifier: Apache-2.0
import type { Program, ProgramValue } from '../program/types.ts'
import { alignUp } from './arena.ts'
import { type Streamable, streamables } from './streamable.ts'
import { allResident, type WeightPlaces } from './weight-places.ts'

export interface ResidencyOptions {
  /** Memory for weights and ring together. */
  readonly roomSizeBytes: number
  readonly pageSizeBytes: number
}

/** Pages that a ring has at most: what it runs ahead by hides no more beyond that. */
const maxRingPageCount = 24

/** Pages that a stretch of this size touches at most, wherever it begins. */
function touchedPages(sizeBytes: number, pageSizeBytes: number): number {
  return Math.ceil(sizeBytes / pageSizeBytes) + 1
}

/** While one piece is computed with, the next one has to come: a ring holds two of the largest. */
function smallestRing(values: readonly Streamable[], pageSizeBytes: number): number {
  return values.reduce((most, it) => Math.max(most, 2 * touchedPages(it.pieceSizeBytes, pageSizeBytes)), 0)
}

function largestUseful(values: readonly Streamable[], pageSizeBytes: number): number {
  return values.reduce((most, it) => Math.max(most, 2 * touchedPages(it.sizeBytes, pageSizeBytes)), 0)
}

/** Values that have to stay in memory, in the order in which they lie. */
function fixedValues({ values }: Program, streamed: ReadonlySet<number>): readonly number[] {
  const offset = (value: number) =>
    (values[value] as { storage: { offsetBytes: number } }).storage.offsetBytes
  return values
    .flatMap(({ storage }, value) => (storage.kind === 'weights' && !streamed.has(value) ? [value] : []))
    .sort((a, b) => offset(a) - offset(b))
}

const sizeOf = (value: ProgramValue | undefined) =>
  value?.storage.kind === 'weights' ? alignUp(value.storage.sizeBytes) : 0

/** The least memory for weights and ring that a program runs in. */
export function smallestRoomSizeBytes(program: Program, pageSizeBytes: number): number {
  const values = streamables(program)
  const fixed = fixedValues(program, new Set(values.map(({ value }) => value)))
  const fixedSizeBytes = fixed.reduce((sum, value) => sum + sizeOf(program.values[value]), 0)
  const streamed = fixedSizeBytes + smallestRing(values, pageSizeBytes) * pageSizeBytes
  return Math.min(streamed, alignUp(program.weightsSizeBytes))
}

/**
 * Decides which weights stay in memory and which come page by page with each query: all stay where there is room. Else the
 * small ones stay first, since a page that is opened for a few of their bytes costs as much as any other.
 * @param options `roomSizeBytes` at least `smallestRoomSizeBytes`
 */
export function planResidency(program: Program, options: ResidencyOptions): WeightPlaces {
  const { roomSizeBytes, pageSizeBytes } = options
  if (alignUp(program.weightsSizeBytes) <= roomSizeBytes) return allResident(program, 0)
  const values = streamables(program)
  const streamed = new Set(values.map(({ value }) => value))
  const fixed = fixedValues(program, streamed)
  let residentSizeBytes = fixed.reduce((sum, value) => sum + sizeOf(program.values[value]), 0)
  const least = smallestRing(values, pageSizeBytes)
  const useful = Math.min(maxRingPageCount, largestUseful(values, pageSizeBytes))
  const affordable = Math.floor(((roomSizeBytes - residentSizeBytes) * 0.6) / pageSizeBytes)
  const ringPageCount = Math.max(least, Math.min(useful, affordable))
  const freeSizeBytes = roomSizeBytes - ringPageCount * pageSizeBytes
  for (const { value, sizeBytes } of [...values].sort((a, b) => a.sizeBytes - b.sizeBytes)) {
    if (residentSizeBytes + alignUp(sizeBytes) > freeSizeBytes) break
    residentSizeBytes += alignUp(sizeBytes)
    streamed.delete(value)
  }
  const addresses = new Map<number, number>()
  let endBytes = 0
  for (const value of fixedValues(program, streamed)) {
    addresses.set(value, endBytes)
    endBytes += sizeOf(program.values[value])
  }
  const ring = { baseBytes: endBytes, pageSizeBytes, pageCount: ringPageCount }
  return {
    addressOf: (value) => addresses.get(value) ?? null,
    ring,
    endBytes: endBytes + ringPageCount * pageSizeBytes,
  }
}
