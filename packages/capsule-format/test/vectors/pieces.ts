
import { concatBytes, equalBytes, fromHex, toHex } from '@mlcapsule/crypto'

/** A vector's file is described by pieces: bytes in hex, zeros, or a stretch of a file under `bases/`. */
export type Piece =
  | { readonly hex: string }
  | { readonly zeros: number }
  | { readonly base: string; readonly offset: number; readonly size: number }

const blockSizeBytes = 64

/** Describes `bytes` by stretches of the bases where at least 64 bytes agree, else by hex. */
export function toPieces(bytes: Uint8Array, bases: ReadonlyMap<string, Uint8Array>): readonly Piece[] {
  const places = new Map<string, { base: string; offset: number }>()
  for (const [base, content] of bases) {
    for (let offset = 0; offset + blockSizeBytes <= content.length; offset++) {
      const block = toHex(content.subarray(offset, offset + blockSizeBytes))
      if (!places.has(block)) places.set(block, { base, offset })
    }
  }
  const pieces: Piece[] = []
  let literal = 0
  let at = 0
  const flush = (): void => {
    if (at > literal) pieces.push({ hex: toHex(bytes.subarray(literal, at)) })
  }
  while (at < bytes.length) {
    const place = places.get(toHex(bytes.subarray(at, at + blockSizeBytes)))
    if (place === undefined) {
      at++
      continue
    }
    flush()
    const content = bases.get(place.base) as Uint8Array
    let size = blockSizeBytes
    while (at + size < bytes.length && bytes[at + size] === content[place.offset + size]) size++
    pieces.push({ base: place.base, offset: place.offset, size })
    at += size
    literal = at
  }
  flush()
  return pieces
}

export function fromPieces(pieces: readonly Piece[], bases: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return concatBytes(
    ...pieces.map((piece) => {
      if ('hex' in piece) return fromHex(piece.hex)
      if ('zeros' in piece) return new Uint8Array(piece.zeros)
      const content = bases.get(piece.base) as Uint8Array
      return content.subarray(piece.offset, piece.offset + piece.size)
    }),
  )
}

/** @throws Error if the description does not give back the bytes */
export function checkedPieces(bytes: Uint8Array, bases: ReadonlyMap<string, Uint8Array>): readonly Piece[] {
  const pieces = toPieces(bytes, bases)
  if (!equalBytes(fromPieces(pieces, bases), bytes)) throw new Error('the pieces do not give the bytes')
  return pieces
}
