// SPDX-License-Identifier: Apache-2.0
import { sha256, sha256Async, uint64Bytes } from '@mlcapsule/crypto'
import { type BlobName, blobNumbers } from './geometry.ts'

const nodePrefix = Uint8Array.of(1)

/** 0x00 ‖ u8 blob ‖ u64 index. */
const leafPrefixSizeBytes = 10

/** Space for one leaf, to be used again once its hash is there: pages are large, and garbage piles up. */
export function leafScratch(sealedSizeBytes: number): Uint8Array {
  return new Uint8Array(leafPrefixSizeBytes + sealedSizeBytes)
}

/**
 * Leaf = SHA-256(0x00 ‖ u8 blob ‖ u64 index ‖ ciphertext ‖ tag).
 * @param scratch of `leafScratch`, for a page of this size
 */
export async function leafHash(
  blob: BlobName,
  index: number,
  sealed: Uint8Array,
  scratch: Uint8Array = leafScratch(sealed.length),
): Promise<Uint8Array> {
  scratch[1] = blobNumbers[blob]
  scratch.set(uint64Bytes(index), 2)
  scratch.set(sealed, leafPrefixSizeBytes)
  return await sha256Async(scratch)
}

/** Node = SHA-256(0x01 ‖ left ‖ right). */
function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(nodePrefix, left, right)
}

/** Takes leaves in order, in memory logarithmic in their number. */
export interface TreeHasher {
  add(leaf: Uint8Array): void
  /** Root of the leaves so far (RFC 9162 §2.1.1). There is at least one. */
  root(): Uint8Array
}

export function createTreeHasher(): TreeHasher {
  // Roots of complete subtrees, largest first, as the bits of leafCount have it.
  const subtrees: Uint8Array[] = []
  let leafCount = 0
  return {
    add(leaf) {
      let hash = leaf
      for (let rest = leafCount; rest % 2 === 1; rest = Math.floor(rest / 2)) {
        hash = nodeHash(subtrees.pop() as Uint8Array, hash)
      }
      subtrees.push(hash)
      leafCount++
    },
    root() {
      return subtrees
        .slice(0, -1)
        .reduceRight((right, left) => nodeHash(left, right), subtrees.at(-1) as Uint8Array)
    },
  }
}
