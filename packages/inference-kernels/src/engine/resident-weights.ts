// SPDX-License-Identifier: Apache-2.0
import type { Kernels } from '@mlcapsule/contracts'
import type { WeightPlaces } from '../plan/weight-places.ts'
import type { Program } from '../program/types.ts'
import { assertWeightsSize, readWeights, type SealedWeights, type WeightSource } from './weight-source.ts'

/** A stretch of the weights, and where it stays. */
interface Piece {
  readonly offsetBytes: number
  readonly sizeBytes: number
  readonly addressBytes: number
}

/** Pages that lie wholly in a piece. */
interface PageRun {
  readonly firstPage: number
  readonly pageCount: number
}

const noPages: PageRun = { firstPage: 0, pageCount: 0 }

/** All weights in one piece, or one value after the other where they lie apart. */
function residentPieces(program: Program, places: WeightPlaces): readonly Piece[] {
  if (places.ring === null) return [{ offsetBytes: 0, sizeBytes: program.weightsSizeBytes, addressBytes: 0 }]
  const pieces = program.values.flatMap(({ storage }, value) => {
    const addressBytes = storage.kind === 'weights' ? places.addressOf(value) : null
    return storage.kind === 'weights' && addressBytes !== null ? [{ ...storage, addressBytes }] : []
  })
  return pieces.sort((a, b) => a.offsetBytes - b.offsetBytes)
}

function addressOfPage({ offsetBytes, addressBytes }: Piece, page: number, pageSizeBytes: number): number {
  return addressBytes + page * pageSizeBytes - offsetBytes
}

function wholePages(piece: Piece, pageSizeBytes: number): PageRun {
  const firstPage = Math.ceil(piece.offsetBytes / pageSizeBytes)
  const endPage = Math.floor((piece.offsetBytes + piece.sizeBytes) / pageSizeBytes)
  const isAligned = addressOfPage(piece, firstPage, pageSizeBytes) % 64 === 0
  return endPage > firstPage && isAligned ? { firstPage, pageCount: endPage - firstPage } : noPages
}

/** @returns how many pages of the runs, one after another, are in place; none where the kernels do not take the file */
async function fillRuns(
  kernels: Kernels,
  sealed: SealedWeights,
  pieces: readonly Piece[],
  runs: readonly PageRun[],
): Promise<number> {
  const { pageSizeBytes } = sealed
  const pages = new Uint32Array(runs.reduce((sum, { pageCount }) => sum + pageCount, 0))
  const addressesBytes = new Uint32Array(pages.length)
  if (pages.length === 0 || kernels.fillPages === undefined) return 0
  let at = 0
  for (const [i, { firstPage, pageCount }] of runs.entries()) {
    for (let page = firstPage; page < firstPage + pageCount; page++, at++) {
      pages[at] = page
      addressesBytes[at] = addressOfPage(pieces[i] as Piece, page, pageSizeBytes)
    }
  }
  if (!sealed.withSealed((it) => kernels.attachPages?.(it) ?? false)) return 0
  const count = await kernels.fillPages(pages, addressesBytes, (it) => sealed.onOpened(it * pageSizeBytes))
  kernels.detachPages?.()
  return count
}

/**
 * Fills in the weights that stay. Whole pages of a file are for kernels that open them; where they stop at a page, the
 * source is asked for it and for all after it, so that it decides what is wrong with that page.
 * @throws KernelError `KERNEL_WEIGHTS_SIZE_MISMATCH`; whatever the source throws
 */
export async function fillResident(
  kernels: Kernels,
  source: WeightSource | Uint8Array,
  program: Program,
  places: WeightPlaces,
): Promise<void> {
  assertWeightsSize(source, program.weightsSizeBytes)
  const sealed = source instanceof Uint8Array ? undefined : source.sealed
  const pieces = residentPieces(program, places)
  const runs = pieces.map((piece) =>
    sealed === undefined ? noPages : wholePages(piece, sealed.pageSizeBytes),
  )
  let leftCount = sealed === undefined ? 0 : await fillRuns(kernels, sealed, pieces, runs)
  for (const [i, { offsetBytes, sizeBytes, addressBytes }] of pieces.entries()) {
    const read = async (fromBytes: number, endBytes: number) => {
      const target = kernels.memory.subarray(
        addressBytes + fromBytes - offsetBytes,
        addressBytes + endBytes - offsetBytes,
      )
      await readWeights(source, fromBytes, target)
    }
    const { firstPage, pageCount } = runs[i] as PageRun
    const doneCount = Math.min(leftCount, pageCount)
    leftCount -= doneCount
    const pageSizeBytes = sealed?.pageSizeBytes ?? 0
    const doneFromBytes = doneCount === 0 ? offsetBytes : firstPage * pageSizeBytes
    await read(offsetBytes, doneFromBytes)
    await read(doneFromBytes + doneCount * pageSizeBytes, offsetBytes + sizeBytes)
  }
}
