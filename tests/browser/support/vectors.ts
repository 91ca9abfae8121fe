// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { concatBytes, fromHex } from '@mlcapsule/crypto'
import type { CapsuleFindings } from '../probe/capsules.ts'
import type { GivenCapsule, SourceKind } from '../probe/given.ts'

const folder = join(import.meta.dirname, '../../../vectors/capsule')

type Piece =
  | { readonly hex: string }
  | { readonly base: string; readonly offset: number; readonly size: number }

interface VectorFile {
  readonly publishers: readonly string[]
  readonly contentKey: string
  readonly pieces: readonly Piece[]
  readonly expected: CapsuleFindings
}

export interface Vector {
  readonly given: GivenCapsule
  readonly bytes: Uint8Array
  readonly expected: CapsuleFindings
}

/** Read over HTTP as well; the others from a Blob alone, to save time. */
const overRanges = new Set([
  'good',
  'good-rich',
  'empty',
  'cut-in-page',
  'ciphertext-changed',
  'signature-changed',
])

/** The vectors of the capsule format; see their README. */
export function loadVectors(): readonly Vector[] {
  const base = (name: string): Uint8Array => readFileSync(join(folder, 'bases', name))
  return readdirSync(join(folder, 'cases')).map((file) => {
    const vector = JSON.parse(readFileSync(join(folder, 'cases', file), 'utf8')) as VectorFile
    const { publishers, contentKey, expected } = vector
    const bytes = vector.pieces.map((piece) =>
      'hex' in piece
        ? fromHex(piece.hex)
        : base(piece.base).subarray(piece.offset, piece.offset + piece.size),
    )
    const name = file.replace(/\.json$/, '')
    const sources: readonly SourceKind[] = overRanges.has(name) ? ['blob', 'ranges'] : ['blob']
    return { given: { name, publishers, contentKey, sources }, bytes: concatBytes(...bytes), expected }
  })
}
