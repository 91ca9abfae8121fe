// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fromHex, sha256, toHex } from '@mlcapsule/crypto'
import { type Bases, fromPieces, type Piece } from './pieces.ts'
import type { Expected } from './scenario.ts'

/** Where the vectors of the repository lie. */
export const vectorsFolder: string = join(import.meta.dirname, '../../../../vectors/capsule')

export interface Vector {
  readonly name: string
  readonly clause: string
  readonly reason: string
  readonly expected: Expected
  readonly publishers: readonly Uint8Array[]
  readonly contentKey: Uint8Array
  readonly bytes: Uint8Array
}

interface VectorFile {
  readonly clause: string
  readonly reason: string
  readonly expected: Expected
  readonly publishers: readonly string[]
  readonly contentKey: string
  readonly sha256: string
  readonly pieces: readonly Piece[]
}

export function loadBases(): Bases {
  const folder = join(vectorsFolder, 'bases')
  return new Map(readdirSync(folder).map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]))
}

export function loadVectors(): readonly Vector[] {
  const bases = loadBases()
  const folder = join(vectorsFolder, 'cases')
  return readdirSync(folder).map((file) => {
    const content = JSON.parse(readFileSync(join(folder, file), 'utf8')) as VectorFile
    const bytes = fromPieces(content.pieces, bases)
    if (toHex(sha256(bytes)) !== content.sha256) throw new Error(`${file}: the pieces do not give the file`)
    return {
      name: file.replace(/\.json$/, ''),
      clause: content.clause,
      reason: content.reason,
      expected: content.expected,
      publishers: content.publishers.map(fromHex),
      contentKey: fromHex(content.contentKey),
      bytes,
    }
  })
}
