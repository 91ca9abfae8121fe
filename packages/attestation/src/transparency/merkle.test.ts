// SPDX-License-Identifier: Apache-2.0
import { fromHex, toHex, utf8Bytes } from '@mlcapsule/crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { consistencyPath, inclusionPath, leafHash, logMaxCount, nodeHash, treeRoot } from './merkle.ts'
import { isExtension, isIncluded, type Tree } from './verify.ts'

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => leafHash(utf8Bytes(`entry ${i}`)))
const treeOf = (leaves: readonly Uint8Array[]): Tree => ({ count: leaves.length, root: treeRoot(leaves) })
const flipped = (hash: Uint8Array, at: number) => hash.map((it, i) => (i === at ? it ^ 1 : it))

describe('the hashes of RFC 9162', () => {
  // Entries and roots that implementations of Certificate Transparency test with.
  const entries = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ]
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ]
  const leaves = entries.map((it) => leafHash(fromHex(it)))

  test.each(roots.map((root, i) => [i + 1, root] as const))('the root of %i entries', (count, root) => {
    expect(toHex(treeRoot(leaves.slice(0, count)))).toBe(root)
  })

  test('a leaf is no node: what two hashes say as an entry is another hash', () => {
    const [a = new Uint8Array(), b = new Uint8Array()] = leaves
    expect(leafHash(new Uint8Array([...a, ...b]))).not.toEqual(nodeHash(a, b))
  })
})

describe('inclusion', () => {
  test('every entry of every small tree is included, and nowhere else', () => {
    for (let count = 1; count <= 33; count++) {
      const leaves = leavesOf(count)
      const tree = treeOf(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(leaves, index)
        for (let at = 0; at < count; at++) expect(isIncluded(leaf, at, path, tree)).toBe(at === index)
        expect(isIncluded(leaf, index, [...path, leaf], tree)).toBe(false)
        if (path.length > 0) expect(isIncluded(leaf, index, path.slice(1), tree)).toBe(false)
        if (path.length > 0) expect(isIncluded(leaf, index, path.slice(0, -1), tree)).toBe(false)
        expect(isIncluded(leaf, index + count, path, tree)).toBe(false)
      }
    }
  })

  test('nothing that is changed is included', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.nat(),
        fc.nat(),
        fc.nat({ max: 31 }),
        (count, place, which, at) => {
          const leaves = leavesOf(count)
          const index = place % count
          const leaf = leaves[index] as Uint8Array
          const path = inclusionPath(leaves, index)
          const tree = treeOf(leaves)
          expect(isIncluded(leaf, index, path, tree)).toBe(true)
          expect(isIncluded(flipped(leaf, at), index, path, tree)).toBe(false)
          expect(isIncluded(leaf, index, path, { ...tree, root: flipped(tree.root, at) })).toBe(false)
          if (path.length === 0) return
          const changed = path.map((it, i) => (i === which % path.length ? flipped(it, at) : it))
          expect(isIncluded(leaf, index, changed, tree)).toBe(false)
        },
      ),
      { numRuns: 100 },
    )
  })

  test.each([
    ['a tree without entries', 0, 0],
    ['a place before the first', -1, 1],
    ['no place', Number.NaN, 1],
    ['half a place', 0.5, 1],
    ['more entries than a log has', 0, logMaxCount + 1],
    ['no number of entries', 0, Number.NaN],
  ])('#80 %s is answered with false', (_what, index, count) => {
    const [leaf = new Uint8Array()] = leavesOf(1)
    expect(isIncluded(leaf, index, [], { count, root: leaf })).toBe(false)
  })

  test('#80 a path without an end ends', () => {
    const [leaf = new Uint8Array()] = leavesOf(1)
    const path = Array.from({ length: 10_000 }, () => leaf)
    expect(isIncluded(leaf, 0, path, { count: logMaxCount, root: leaf })).toBe(false)
  })
})

describe('consistency', () => {
  test('every small tree is extended by every larger one, and by no other', () => {
    const all = leavesOf(24)
    const trees = all.map((_leaf, i) => treeOf(all.slice(0, i + 1)))
    for (const newer of trees) {
      const leaves = all.slice(0, newer.count)
      for (const older of trees.slice(0, newer.count)) {
        const path = consistencyPath(leaves, older.count)
        expect(isExtension(older, newer, path)).toBe(true)
        expect(isExtension({ ...older, root: flipped(older.root, 0) }, newer, path)).toBe(false)
        expect(isExtension(older, { ...newer, root: flipped(newer.root, 0) }, path)).toBe(false)
        expect(isExtension(older, newer, [...path, older.root])).toBe(false)
        if (path.length > 0) expect(isExtension(older, newer, path.slice(0, -1))).toBe(false)
        if (older.count < newer.count) expect(isExtension(newer, older, path)).toBe(false)
      }
    }
  })

  test('a history in which an entry was changed is another one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat({ max: 100 }), fc.nat(), (count, more, place) => {
        const leaves = leavesOf(count + more)
        const older = treeOf(leaves.slice(0, count))
        const changed = leaves.map((it, i) => (i === place % count ? flipped(it, 0) : it))
        expect(isExtension(older, treeOf(leaves), consistencyPath(leaves, count))).toBe(true)
        expect(isExtension(older, treeOf(changed), consistencyPath(changed, count))).toBe(false)
        expect(isExtension(older, treeOf(changed), consistencyPath(leaves, count))).toBe(false)
      }),
      { numRuns: 100 },
    )
  })

  test('no made-up path shows what is not so', () => {
    const leaves = leavesOf(11)
    const [older, newer] = [treeOf(leavesOf(5).reverse()), treeOf(leaves)]
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const known = fc.constantFrom(...leaves, older.root, newer.root)
    fc.assert(
      fc.property(fc.array(fc.oneof(hash, known), { maxLength: 6 }), (path) => {
        expect(isExtension(older, newer, path)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('a hash of another size is answered with false', () => {
    const leaves = leavesOf(3)
    const path = consistencyPath(leaves, 2)
    const [older, newer] = [treeOf(leaves.slice(0, 2)), treeOf(leaves)]
    expect(isExtension(older, newer, path)).toBe(true)
    expect(
      isExtension(
        older,
        newer,
        path.map((it) => it.subarray(1)),
      ),
    ).toBe(false)
    expect(isExtension({ count: 0, root: older.root }, newer, [])).toBe(false)
  })
})
