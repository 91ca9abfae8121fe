// SPDX-License-Identifier: Apache-2.0
import { equalBytes } from '@mlcapsule/crypto'
import { logMaxCount, nodeHash } from './merkle.ts'

/** A tree of so many entries, by its root. */
export interface Tree {
  readonly count: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

const isOdd = (position: number) => position % 2 === 1
const half = (position: number) => Math.floor(position / 2)

function isTree({ count, root }: Tree): boolean {
  return Number.isInteger(count) && count >= 1 && count <= logMaxCount && root.length === 32
}

/** A place on the way up, and the last place of its level. */
interface Place {
  readonly at: number
  readonly last: number
}
const parent = ({ at, last }: Place): Place => ({ at: half(at), last: half(last) })

/** Up past the levels at which the last place has no neighbor. */
function pastLonely(place: Place): Place {
  let it = place
  while (!isOdd(it.at) && it.at !== 0) it = parent(it)
  return it
}

/**
 * Whether an entry is in a tree at a place.
 * @param leaf hash of the entry, by `leafHash`
 * @param path as `inclusionPath` makes it; whatever else comes in is answered with false
 * @see RFC 9162 §2.1.3.2
 */
export function isIncluded(
  leaf: Uint8Array,
  index: number,
  path: readonly Uint8Array[],
  tree: Tree,
): boolean {
  if (!isTree(tree) || !Number.isInteger(index) || index < 0 || index >= tree.count) return false
  let place: Place = { at: index, last: tree.count - 1 }
  let hash = leaf
  for (const other of path) {
    if (other.length !== 32 || place.last === 0) return false
    if (isOdd(place.at) || place.at === place.last) {
      hash = nodeHash(other, hash)
      if (!isOdd(place.at)) place = pastLonely(place)
    } else {
      hash = nodeHash(hash, other)
    }
    place = parent(place)
  }
  return place.last === 0 && equalBytes(hash, tree.root)
}

/**
 * Whether a tree is another one with entries added at its end: nothing was changed or taken out since.
 * @param path as `consistencyPath` makes it; whatever else comes in is answered with false
 * @see RFC 9162 §2.1.4.2
 */
export function isExtension(older: Tree, newer: Tree, path: readonly Uint8Array[]): boolean {
  if (!isTree(older) || !isTree(newer) || older.count > newer.count) return false
  if (path.some((it) => it.length !== 32)) return false
  if (older.count === newer.count) return path.length === 0 && equalBytes(older.root, newer.root)
  let place: Place = { at: older.count - 1, last: newer.count - 1 }
  while (isOdd(place.at)) place = parent(place)
  // Where the older tree is a whole subtree of the newer one, its root is known and not in the path.
  const [first, ...rest] = place.at === 0 ? [older.root, ...path] : path
  if (first === undefined) return false
  let [olderHash, newerHash] = [first, first]
  for (const other of rest) {
    if (place.last === 0) return false
    if (isOdd(place.at) || place.at === place.last) {
      olderHash = nodeHash(other, olderHash)
      newerHash = nodeHash(other, newerHash)
      if (!isOdd(place.at)) place = pastLonely(place)
    } else {
      newerHash = nodeHash(newerHash, other)
    }
    place = parent(place)
  }
  return place.last === 0 && equalBytes(olderHash, older.root) && equalBytes(newerHash, newer.root)
}
