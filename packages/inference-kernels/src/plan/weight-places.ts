// SPDX-License-Identifier: Apache-2.0
import type { Program, ProgramValue } from '../program/types.ts'
import { alignUp } from './arena.ts'

/** Pages of memory that are filled in turn, again and again, with the pages of the weights as steps need them. */
export interface PageRing {
  readonly baseBytes: number
  readonly pageSizeBytes: number
  readonly pageCount: number
}

/** Where weights lie while queries run. */
export interface WeightPlaces {
  /** Address of a weights value; null for one that comes through the ring. */
  addressOf(value: number): number | null
  readonly ring: PageRing | null
  /** What weights and ring take up to, a multiple of 64: the arena begins there. */
  readonly endBytes: number
}

/** All weights stay in memory, as they lie in the capsule. */
export function allResident(program: Program, baseBytes: number): WeightPlaces {
  return {
    addressOf(value) {
      const { storage } = program.values[value] as ProgramValue
      return storage.kind === 'weights' ? baseBytes + storage.offsetBytes : null
    },
    ring: null,
    endBytes: alignUp(baseBytes + program.weightsSizeBytes),
  }
}
