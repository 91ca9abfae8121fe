// SPDX-License-Identifier: Apache-2.0
import { concatBytes, sha256 } from '@mlcapsule/crypto'

/** Entries of one log. */
export const logMaxCount = 2 ** 32

/** SHA-256 of an entry as a leaf. @see RFC 9162 §2.1.1 */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(0), entry))
}

/** SHA-256 over two subtrees; its prefix is not that of leaves, so no entry can pass for a subtree. @see RFC 9162 §2.1.1 */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(concatBytes(Uint8Array.of(1), left, right))
}

/** How many of `count` leaves the left subtree has: the largest power of two below it. */
function leftCount(count: number): number {
  let left = 1
  while (left * 2 < count) left *= 2
  return left
}

/**
 * Root over leaves.
 * @param leaves hashes of the entries from the oldest on, 32 bytes each, at least one
 * @see RFC 9162 §2.1.1
 */
export function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) throw new RangeError('a tree has a leaf')
  if (leaves.length === 1) return only
  const left = leftCount(leaves.length)
  return nodeHash(treeRoot(leaves.slice(0, left)), treeRoot(leaves.slice(left)))
}

/**
 * What leads from a leaf to the root: the other subtrees on the way, from the leaf up.
 * @param index of the leaf, below the number of leaves
 * @see RFC 9162 §2.1.3.1
 */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): readonly Uint8Array[] {
  if (leaves.length <= 1) return []
  const left = leftCount(leaves.length)
  const [first, second] = [leaves.slice(0, left), leaves.slice(left)]
  return index < left
    ? [...inclusionPath(first, index), treeRoot(second)]
    : [...inclusionPath(second, index - left), treeRoot(first)]
}

/**
 * What leads from the root of the first `count` leaves to the root of all.
 * @param count at least 1, at most the number of leaves
 * @see RFC 9162 §2.1.4.1
 */
export function consistencyPath(leaves: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  return subproof(leaves, count, true)
}

/** @param isWhole whether the subtree is one that the reader of the older root knows already */
function subproof(leaves: readonly Uint8Array[], count: number, isWhole: boolean): readonly Uint8Array[] {
  if (count === leaves.length) return isWhole ? [] : [treeRoot(leaves)]
  const left = leftCount(leaves.length)
  const [first, second] = [leaves.slice(0, left), leaves.slice(left)]
  return count <= left
    ? [...subproof(first, count, isWhole), treeRoot(second)]
    : [...subproof(second, count - left, false), treeRoot(first)]
}
