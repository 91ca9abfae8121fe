// SPDX-License-Identifier: Apache-2.0
import { concatBytes, equalBytes, fromHex, toHex } from '@mlcapsule/crypto'

/** A vector's file is described by pieces: bytes in hex, or a stretch of a file under `bases/`. */
export type Piece =
  | { readonly hex: string }
  | { readonly base: string; readonly offset: number; readonly size: number }

export type Bases = ReadonlyMap<string, Uint8Array>

const blockSizeBytes = 64

/** Finds stretches of the bases in other files. */
export interface PieceFinder {
  /** @throws Error if the description would not give back the bytes */
  describe(bytes: Uint8Array): readonly Piece[]
}

export function createPieceFinder(bases: Bases): PieceFinder {
  const places = new Map<string, { base: string; offset: number }>()
  const keyAt = (bytes: Uint8Array, at: number): string => toHex(bytes.subarray(at, at + blockSizeBytes))
  for (const [base, content] of bases) {
    for (let offset = 0; offset + blockSizeBytes <= content.length; offset += blockSizeBytes / 4) {
      places.set(keyAt(content, offset), { base, offset })
    }
  }
  const describe = (bytes: Uint8Array): readonly Piece[] => {
    const pieces: Piece[] = []
    let literal = 0
    for (let at = 0; at < bytes.length; ) {
      const place = places.get(keyAt(bytes, at))
      if (place === undefined) {
        at++
        continue
      }
      const content = bases.get(place.base) as Uint8Array
      // The stretch may begin before the block that was found.
      let before = 0
      while (
        at - before > literal &&
        place.offset > before &&
        bytes[at - before - 1] === content[place.offset - before - 1]
      ) {
        before++
      }
      let after = blockSizeBytes
      while (at + after < bytes.length && bytes[at + after] === content[place.offset + after]) after++
      if (at - before > literal) pieces.push({ hex: toHex(bytes.subarray(literal, at - before)) })
      pieces.push({ base: place.base, offset: place.offset - before, size: before + after })
      at += after
      literal = at
    }
    if (bytes.length > literal) pieces.push({ hex: toHex(bytes.subarray(literal)) })
    if (!equalBytes(fromPieces(pieces, bases), bytes)) throw new Error('the pieces do not give the bytes')
    return pieces
  }
  return { describe }
}

export function fromPieces(pieces: readonly Piece[], bases: Bases): Uint8Array {
  return concatBytes(
    ...pieces.map((piece) => {
      if ('hex' in piece) return fromHex(piece.hex)
      const content = bases.get(piece.base) as Uint8Array
      return content.subarray(piece.offset, piece.offset + piece.size)
    }),
  )
}
