// SPDX-License-Identifier: Apache-2.0
import { sha256, toHex } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { padme, programLayout, sealedBlobSizeBytes, weightsLayout } from './geometry.ts'
import { createTreeHasher, leafHash } from './tree.ts'

describe('padding', () => {
  test.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [3, 3],
    [8, 8],
    [9, 10],
    [15, 16],
    [100, 104],
    [1_000, 1_024],
    [1_000_000, 1_015_808],
    [2 ** 32 - 1, 2 ** 32],
    [2 ** 32 + 1, 2 ** 32 + 2 ** 26],
    [2 ** 40 - 1, 2 ** 40],
  ])('padme(%d) = %d', (sizeBytes, padded) => {
    expect(padme(sizeBytes)).toBe(padded)
  })

  test('padme never shrinks, grows by at most 12 %, and is its own fixed point', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (sizeBytes) => {
        const padded = padme(sizeBytes)
        expect(padded).toBeGreaterThanOrEqual(sizeBytes)
        expect(padded).toBeLessThanOrEqual(Math.ceil(sizeBytes * 1.12))
        expect(padme(padded)).toBe(padded)
      }),
    )
  })

  test.each([
    [1, 65_536, 65_536, 1],
    [65_536, 1_048_576, 65_536, 1],
    [65_537, 1_048_576, 131_072, 1],
    [65_536, 4_096, 65_536, 16],
    [3_000_000, 1_048_576, 4_194_304, 4],
  ])('a program of %d bytes in pages of %d: %d bytes, %d pages', (sizeBytes, page, padded, pageCount) => {
    const layout = programLayout(sizeBytes, page)
    expect(layout).toEqual({ paddedSizeBytes: padded, pageCount, pageSizeBytes: Math.min(page, padded) })
    expect(sealedBlobSizeBytes(layout)).toBe(padded + 16 * pageCount)
  })

  test.each([
    [0, 1],
    [1, 1],
    [4_096, 1],
    [4_097, 2],
    [100_000, 25],
    [1_000_000, 248],
  ])('weights of %d bytes take %d pages of 4 KiB', (sizeBytes, pageCount) => {
    expect(weightsLayout(sizeBytes, 4_096)).toEqual({
      pageCount,
      paddedSizeBytes: pageCount * 4_096,
      pageSizeBytes: 4_096,
    })
  })
})

describe('tree', () => {
  /** RFC 9162 §2.1.1, as it is written there. */
  function merkleTreeHash(leaves: readonly Uint8Array[]): Uint8Array {
    if (leaves.length === 1) return leaves[0] as Uint8Array
    let split = 1
    while (split * 2 < leaves.length) split *= 2
    return sha256(
      Uint8Array.of(1),
      merkleTreeHash(leaves.slice(0, split)),
      merkleTreeHash(leaves.slice(split)),
    )
  }

  test('one pass agrees with the recursive definition', () => {
    for (let count = 1; count <= 70; count++) {
      const leaves = Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i)))
      const tree = createTreeHasher()
      for (const leaf of leaves) tree.add(leaf)
      expect(toHex(tree.root())).toBe(toHex(merkleTreeHash(leaves)))
    }
  })

  test('a leaf binds blob, index and bytes', async () => {
    const sealed = Uint8Array.of(9, 9)
    const expected = sha256(Uint8Array.of(0, 2, 0, 0, 0, 0, 0, 0, 0, 5, 9, 9))
    expect(await leafHash('weights', 5, sealed)).toEqual(expected)
    expect(await leafHash('program', 5, sealed)).not.toEqual(expected)
    expect(await leafHash('weights', 6, sealed)).not.toEqual(expected)
  })
})
