// SPDX-License-Identifier: Apache-2.0
import type { KernelBackend, Kernels, TensorData } from '@mlcapsule/contracts'
import { elementSizeBytes } from '@mlcapsule/contracts'
import type { BoundTensor } from '../plan/bound.ts'
import { ProgramBinder } from '../plan/program-binder.ts'
import { allResident, type WeightPlaces } from '../plan/weight-places.ts'
import { stateSymbols, usualDims } from '../program/bind-dims.ts'
import { decodeProgram } from '../program/decode.ts'
import { isOfFixedSizes } from '../program/fixed-sizes.ts'
import { programLimits } from '../program/limits.ts'
import { isOfSizes } from '../program/program-error.ts'
import type { Program } from '../program/types.ts'
import { validateProgram } from '../program/validate.ts'
import { Bindings } from './bindings.ts'
import { type MemoryPlan, type MemoryPlanOptions, pagerSizeBytes, planMemory } from './memory-plan.ts'
import { fillResident } from './resident-weights.ts'
import { KernelSession, type Session } from './session.ts'
import { viewTensor } from './tensor-views.ts'
import type { WeightPages } from './weight-pages.ts'
import type { WeightSource } from './weight-source.ts'

export interface SessionOptions {
  readonly kernels: KernelBackend
  /** Encoded, or as an object; validated either way. */
  readonly program: Program | Uint8Array
  readonly weights: WeightSource | Uint8Array
  /**
   * Sizes of all symbolic dimensions of inputs, to make ready for; those that only states have are 0 where not given. A
   * query may have others.
   */
  readonly symbols?: Readonly<Record<string, number>>
  /** As `symbols`, but a guess: where the program does not take these sizes, the first query makes it ready. */
  readonly guessedSymbols?: Readonly<Record<string, number>>
  /**
   * What queries may make arena and weights grow to, by default what 32-bit addresses reach. What the program needs to begin
   * with, all of it where its sizes are fixed, it has in any case.
   */
  readonly maxMemorySizeBytes?: number
  /** Threads that one step may use, 1 by default. */
  readonly threadCount?: number
  /** Keeps to a budget: weights that do not fit come anew with each query. Without it all of them stay in memory. */
  readonly budget?: MemoryBudget
}

export interface MemoryBudget {
  /** For all that `MemoryReport` lists. Never exceeded. */
  readonly sizeBytes: number
  readonly pages: WeightPages
}

/** Constants of up to this many elements can decide sizes. */
const knownElementCount = 4096

/** The ring, and what the kernels' pager takes. */
function stagingOf({ ring }: WeightPlaces, ownPagerSizeBytes: number): number {
  return ring === null ? 0 : ring.pageCount * ring.pageSizeBytes + ownPagerSizeBytes
}

function validated(program: Program | Uint8Array): Program {
  if (program instanceof Uint8Array) return decodeProgram(program)
  validateProgram(program)
  return program
}

/** Where everything lies without a budget: all weights stay, and the arena may grow. */
function planWithoutBudget(options: MemoryPlanOptions, maxMemorySizeBytes: number): MemoryPlan {
  const { program, dims, isStatic, weightsContents } = options
  const places = allResident(program, 0)
  const needed = isStatic
    ? new ProgramBinder(program, { weights: places, weightsContents }).begin(dims).segment.memorySizeBytes
    : places.endBytes
  const memorySizeBytes = Math.max(needed, 1)
  return {
    places,
    memorySizeBytes,
    maxMemorySizeBytes: isStatic ? memorySizeBytes : Math.max(memorySizeBytes, maxMemorySizeBytes),
    maxRecordsSizeBytes: Number.POSITIVE_INFINITY,
  }
}

/** @returns where the session opens pages between records; null where the kernels open them, or none are streamed */
function pagesBetween(
  kernels: Kernels,
  { ring }: WeightPlaces,
  pages: WeightPages | undefined,
): WeightPages | null {
  if (ring === null || pages === undefined) return null
  const isAttached = pages.withSealed?.((sealed) => kernels.attachPages?.(sealed) ?? false) ?? false
  return isAttached ? null : pages
}

/**
 * Makes a model ready: creates kernels, fills in the weights, lets the kernels prove themselves, and, where all sizes are
 * known, plans the program and lets them check every record. Memory grows when a query needs more.
 * @throws KernelError `PROGRAM_*`, `KERNEL_*`; whatever the source of weights throws. Nothing stays behind.
 */
export async function createSession(options: SessionOptions): Promise<Session> {
  const { threadCount = 1, maxMemorySizeBytes = programLimits.memorySizeBytes, budget } = options
  const symbols = { ...options.guessedSymbols, ...options.symbols }
  const program = validated(options.program)
  const dims = usualDims(program, symbols)
  let kernels: Kernels | undefined
  const weightsContents = (place: BoundTensor): TensorData | null =>
    kernels === undefined || place.sizeBytes > knownElementCount * elementSizeBytes(place.dtype)
      ? null
      : (viewTensor(place, kernels.memory).slice() as TensorData)
  const scratchSizeBytes = options.kernels.scratchSizeBytes?.(threadCount) ?? 0
  const ownPagerSizeBytes =
    budget?.pages.withSealed === undefined ? 0 : pagerSizeBytes(budget.pages.pageCount)
  const planning: MemoryPlanOptions = {
    program,
    dims,
    isStatic: isOfFixedSizes(program),
    pageSizeBytes: budget?.pages.pageSizeBytes ?? 1,
    besideSizeBytes: scratchSizeBytes + ownPagerSizeBytes,
    weightsContents,
  }
  const plan =
    budget === undefined
      ? planWithoutBudget(planning, maxMemorySizeBytes)
      : planMemory(planning, budget.sizeBytes)
  const { places, memorySizeBytes, maxRecordsSizeBytes } = plan
  const binder = new ProgramBinder(program, { weights: places, weightsContents })
  kernels = await options.kernels.create({
    memorySizeBytes: Math.max(memorySizeBytes, 1),
    maxMemorySizeBytes: Math.max(plan.maxMemorySizeBytes, 1),
    threadCount,
  })
  try {
    kernels.selfTest()
    await fillResident(kernels, options.weights, program, places)
    const pages = pagesBetween(kernels, places, budget?.pages)
    const bindings = new Bindings(binder, kernels, { pages, maxRecordsSizeBytes })
    const ofStates = stateSymbols(program)
    const isGiven = (name: string) => Object.hasOwn(symbols, name) || ofStates.includes(name)
    if (program.symbols.every(isGiven)) {
      try {
        bindings.root(dims)
      } catch (error) {
        if (options.guessedSymbols === undefined || !isOfSizes(error)) throw error
      }
    }
    const waitsForPages = pages !== null
    const stagingSizeBytes = stagingOf(places, waitsForPages ? 0 : ownPagerSizeBytes)
    return new KernelSession({
      kernels,
      binder,
      bindings,
      places,
      scratchSizeBytes,
      stagingSizeBytes,
      waitsForPages,
    })
  } catch (error) {
    kernels.dispose()
    throw error
  }
}
